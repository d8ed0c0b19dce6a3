import { HttpRequestError } from './http-request-error.js'

export function toAbortedError(signal: AbortSignal, { sent }: { sent: boolean }): HttpRequestError {
  const message = sent ? 'The answer did not come in time' : 'The request could not be sent in time'
  return new HttpRequestError('ABORTED', message, { sent, cause: signal.reason })
}
