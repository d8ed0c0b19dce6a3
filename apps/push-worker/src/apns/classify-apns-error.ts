import { HttpRequestError } from '@mono/http-client'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { parseApnsReason } from './apns-reason.js'

/**
 * Tells what it means that there was no answer. A request whose turn on the connection has not come in time was not tried;
 * it is a mark against Apple all the same, which the next answer takes away: a connection that has one stream and no answer
 * would hold up everybody.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyApnsError(error: unknown): PushVerdict {
  if (!(error instanceof HttpRequestError)) throw error
  if (error.code === 'ABORTED' && !error.sent) {
    return { result: { kind: 'defer', code: 'ORIGIN_BUSY' }, origin: { kind: 'failing', code: 'ORIGIN_BUSY' } }
  }
  const verdict = classifyRequestError(error)
  const { reason } = parseApnsReason(error.goaway?.data ?? '')
  if (reason === undefined || verdict.result.kind === 'sent') return verdict
  return { ...verdict, result: { ...verdict.result, reason: `GOAWAY: ${reason}` } }
}
