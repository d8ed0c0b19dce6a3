import type { IncomingHttpHeaders } from 'node:http'

export interface HttpRequest {
  /** `https:` only. */
  url: URL
  method: 'GET' | 'POST' | 'DELETE'
  /** In lower case, as HTTP/2 wants them. */
  headers: Readonly<Record<string, string>>
  body?: Buffer
  /** The whole time that the request may take: connecting, waiting for its turn, sending, the answer. */
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** At most as many bytes as the client was told to take. */
  body: Buffer
  /**
   * False if the body is not all there: it was too long, or the connection or the time ended in the middle of it. The
   * status had come by then, and the status says what became of the request.
   */
  complete: boolean
}
