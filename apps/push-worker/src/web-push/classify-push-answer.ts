import type { ServeResult } from '@mono/delivery-ledger'
import type { DisableReason } from '../device.js'
import type { HttpAnswer } from '../http/http-messages.js'
import type { OriginReport } from '../origin-report.js'
import { parseRetryAfter } from './retry-after.js'

/** What an answer means for the delivery, for its device, and for the push service. */
export interface PushVerdict {
  result: ServeResult
  origin: OriginReport
  disable?: DisableReason
}

/**
 * The classes of answers (RFC 8030, section 5 and 8.4). A push service that refuses our credentials (401, 403) is not
 * among them: see `isCredentialsRefusal`.
 */
export function classifyPushAnswer(
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  now: number,
): PushVerdict {
  const alive: OriginReport = { kind: 'alive' }
  if (status >= 200 && status < 300) return { result: toSent(headers), origin: alive }
  if (status === 404 || status === 410) {
    return { result: { kind: 'failed', code: 'GONE' }, origin: alive, disable: 'gone' }
  }
  if (status === 413) return { result: { kind: 'failed', code: 'PAYLOAD_TOO_LARGE' }, origin: alive }
  if (status === 429 || status === 408 || status >= 500)
    return classifyBusy(status, parseRetryAfter(headers['retry-after'], now))
  const code = status >= 300 && status < 400 ? 'REDIRECTED' : 'PROVIDER_REJECTED'
  return { result: { kind: 'failed', code }, origin: alive }
}

/** Whether the push service does not accept the `Authorization` header. */
export function isCredentialsRefusal({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status === 401 || status === 403
}

function toSent(headers: HttpAnswer['headers']): ServeResult {
  const { location } = headers
  return location ? { kind: 'sent', providerId: location.slice(0, 500) } : { kind: 'sent' }
}

/** Asked to wait, for a time or at large; or a failure that is the device's bad luck unless it goes on. */
function classifyBusy(status: number, waitMs: number | undefined): PushVerdict {
  const code = status === 429 ? 'RATE_LIMITED' : 'PROVIDER_UNAVAILABLE'
  if (waitMs !== undefined)
    return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'closed', code, waitMs } }
  if (status === 429) return { result: { kind: 'defer', code }, origin: { kind: 'closed', code } }
  return { result: { kind: 'retry', code, reason: `HTTP ${status}` }, origin: { kind: 'failing', code } }
}
