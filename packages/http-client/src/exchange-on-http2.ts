import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { createAnswerBody } from './answer-body.js'
import type { HttpAnswer, HttpRequest } from './http-messages.js'
import { HttpRequestError } from './http-request-error.js'
import type { Goaway } from './http2-rules.js'
import { toAbortedError } from './to-aborted-error.js'

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants

export interface Http2Exchange {
  session: ClientHttp2Session
  request: HttpRequest
  maxBodyBytes: number
  /** The server has ended the session by it, if there is one: streams above its last are not processed. */
  goaway(): Goaway | undefined
}

/**
 * One request and its answer on a stream of their own. Settles once, whatever the server does, by the time that the
 * request's signal is aborted. Once the status is there, that is the answer, with what there is of the body.
 */
export function exchangeOnHttp2({ session, request, maxBodyBytes, goaway }: Http2Exchange): Promise<HttpAnswer> {
  const { signal } = request
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(toAbortedError(signal, { sent: false }))
    const stream = openStream(session, request)
    if (stream instanceof HttpRequestError) return reject(stream)
    const body = createAnswerBody(maxBodyBytes)
    let head: Pick<HttpAnswer, 'status' | 'headers'> | undefined
    let cause: unknown

    const settle = (complete: boolean, toError: () => HttpRequestError) => {
      signal.removeEventListener('abort', onAbort)
      if (head) resolve({ ...head, body: body.toBuffer(), complete })
      else reject(toError())
      if (!complete) stream.close(NGHTTP2_CANCEL)
    }
    const onAbort = () => settle(false, () => toAbortedError(signal, { sent: true }))
    // A stream that is cut off ends too, with a code.
    const isComplete = () => stream.readableEnded && !stream.aborted && !stream.rstCode
    const onEnded = () => settle(isComplete(), () => toLostError(stream, goaway(), cause))

    stream.once('response', ({ ':status': status = 0, ...headers }) => {
      head = { status, headers }
    })
    stream.on('data', (chunk: Buffer) => {
      if (!body.add(chunk)) onEnded()
    })
    stream.once('end', onEnded)
    stream.on('error', (error) => {
      cause = error
    })
    stream.once('close', onEnded)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** What a session throws, or tells the stream, that ended between the reservation and the request. */
const endedSessionCodes = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION', 'ERR_HTTP2_OUT_OF_STREAMS'])

function openStream(session: ClientHttp2Session, request: HttpRequest): ClientHttp2Stream | HttpRequestError {
  const { url, method, headers, body } = request
  try {
    const stream = session.request({
      ':method': method,
      ':authority': url.host,
      ':path': `${url.pathname}${url.search}`,
      ...headers,
    })
    stream.end(body)
    return stream
  } catch (error) {
    if (isEndedSession(error)) return unprocessed(error)
    throw error
  }
}

function toLostError({ id, rstCode }: ClientHttp2Stream, goaway: Goaway | undefined, cause: unknown): HttpRequestError {
  const refused = rstCode === NGHTTP2_REFUSED_STREAM || isEndedSession(cause)
  const isAboveLast = id === undefined || (goaway !== undefined && id > goaway.lastStreamId)
  if (refused || isAboveLast) return unprocessed(cause, goaway)
  const message = `The stream ended without an answer (error code ${rstCode})`
  return new HttpRequestError('CONNECTION_LOST', message, { sent: true, cause, goaway })
}

function unprocessed(cause: unknown, goaway?: Goaway): HttpRequestError {
  return new HttpRequestError('UNPROCESSED', 'The server did not process the request', { sent: false, cause, goaway })
}

function isEndedSession(error: unknown): boolean {
  return endedSessionCodes.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}
