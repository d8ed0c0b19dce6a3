import type { ServeResult } from '@mono/delivery-ledger'
import { type HttpAnswer, parseRetryAfter } from '@mono/http-client'
import type { OriginReport } from '../sending/origin-report.js'
import type { PushVerdict } from '../sending/push-verdict.js'

/** A bad moment, or a bad connection (RFC 9110, RFC 8470): 5xx besides. */
const passingStatuses = new Set([408, 421, 425])

/** 429, and what WNS has instead. */
const busyStatuses = new Set([406, 429])

/**
 * The classes of answers (RFC 8030, section 5 and 8.4). A push service that refuses our credentials (401, 403) is not
 * among them: see `isCredentialsRefusal`.
 */
export function classifyPushAnswer(
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  now: number,
): PushVerdict {
  const alive: OriginReport = { kind: 'alive' }
  const waitMs = parseRetryAfter(headers['retry-after'], now)
  if (status >= 200 && status < 300) return classifySuccess(headers, waitMs)
  if (status === 404 || status === 410) {
    return { result: { kind: 'failed', code: 'GONE' }, origin: alive, disable: 'gone' }
  }
  if (status === 413) return { result: { kind: 'failed', code: 'PAYLOAD_TOO_LARGE' }, origin: alive }
  if (busyStatuses.has(status)) return toWait('RATE_LIMITED', waitMs)
  const code = 'PROVIDER_UNAVAILABLE'
  if (status >= 400 && waitMs !== undefined) return toWait(code, waitMs)
  if (passingStatuses.has(status) || status >= 500) {
    return { result: { kind: 'retry', code, reason: `HTTP ${status}` }, origin: { kind: 'failing', code } }
  }
  const isRedirect = status >= 300 && status < 400
  return { result: { kind: 'failed', code: isRedirect ? 'REDIRECTED' : 'PROVIDER_REJECTED' }, origin: alive }
}

/** Whether the push service does not accept the `Authorization` header. */
export function isCredentialsRefusal({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status === 401 || status === 403
}

/** WNS says in a header that it has thrown away what it answers with 2xx: `received` is the only good news. */
function classifySuccess(headers: HttpAnswer['headers'], waitMs: number | undefined): PushVerdict {
  const wnsStatus = String(headers['x-wns-notificationstatus'] ?? '').toLowerCase()
  if (wnsStatus.endsWith('throttled')) return toWait('RATE_LIMITED', waitMs)
  if (wnsStatus === 'dropped') {
    const code = 'DROPPED'
    return { result: { kind: 'retry', code, reason: 'X-WNS-NotificationStatus: dropped' }, origin: { kind: 'alive' } }
  }
  const { location } = headers
  const result: ServeResult = location ? { kind: 'sent', providerId: location.slice(0, 500) } : { kind: 'sent' }
  return { result, origin: { kind: 'accepted' } }
}

/** The device is asked to wait, for a time or at large. */
function toWait(code: string, waitMs: number | undefined): PushVerdict {
  if (waitMs === undefined) return { result: { kind: 'defer', code }, origin: { kind: 'refused', code }, wait: {} }
  return {
    result: { kind: 'defer', code, delayMs: waitMs },
    origin: { kind: 'refused', code, waitMs },
    wait: { ms: waitMs },
  }
}
