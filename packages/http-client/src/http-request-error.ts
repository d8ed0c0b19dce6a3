import type { Goaway } from './http2-rules.js'

/**
 * - `CONNECTION_FAILED`: there is no connection to the origin; nothing was sent
 * - `UNPROCESSED`: the server has said that it did not look at the request, twice
 * - `CONNECTION_LOST`: the connection or the stream ended before the answer; the request may have been processed
 * - `ABORTED`: the request's signal was aborted; `sent` tells which of the two it is
 * - `CLIENT_CLOSED`: the client was closed before the request was sent
 */
export type HttpRequestFailure = 'CONNECTION_FAILED' | 'UNPROCESSED' | 'CONNECTION_LOST' | 'ABORTED' | 'CLIENT_CLOSED'

export interface HttpRequestErrorOptions extends ErrorOptions {
  sent: boolean
  goaway?: Goaway | undefined
}

/** A request without an answer. `sent` is false only if the server has certainly not processed it. */
export class HttpRequestError extends Error {
  override readonly name = 'HttpRequestError'
  readonly code: HttpRequestFailure
  readonly sent: boolean
  /** The server has ended the request's session of HTTP/2 by it. */
  readonly goaway: Goaway | undefined

  constructor(code: HttpRequestFailure, message: string, { sent, goaway, ...options }: HttpRequestErrorOptions) {
    super(message, options)
    this.code = code
    this.sent = sent
    this.goaway = goaway
  }
}
