import { HttpRequestError } from '../http/http-request-error.js'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { parseApnsReason } from './apns-reason.js'

/**
 * Tells what it means that there was no answer. The addresses are ours, so a host that is not found is away. A request
 * whose turn has not come in time says nothing of Apple: there may be one stream at a time only.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyApnsError(error: unknown): PushVerdict {
  if (!(error instanceof HttpRequestError)) throw error
  if (error.code === 'ABORTED' && !error.sent) {
    return { result: { kind: 'defer', code: 'ORIGIN_BUSY' }, origin: { kind: 'none' } }
  }
  if (error.code === 'CONNECTION_FAILED') return classifyConnectionFailure(error)
  const verdict = classifyRequestError(error)
  const { reason } = parseApnsReason(error.goaway?.data ?? '')
  if (reason === undefined || verdict.result.kind === 'sent') return verdict
  return { ...verdict, result: { ...verdict.result, reason: `GOAWAY: ${reason}` } }
}

function classifyConnectionFailure({ code, cause }: HttpRequestError): PushVerdict {
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code
  return { result: { kind: 'defer', code, reason }, origin: { kind: 'down', code } }
}
