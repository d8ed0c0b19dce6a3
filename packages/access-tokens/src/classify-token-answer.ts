import { describeAnswer, type HttpAnswer, parseJsonObject, parseRetryAfter } from '@mono/http-client'

/**
 * The decision of the token endpoint.
 * - `granted`: there is an access token
 * - `refused`: the settings, or the clock, are wrong, and asking again changes nothing
 * - `unavailable`: another time, maybe after `waitMs`
 */
export type TokenVerdict =
  | { kind: 'granted'; accessToken: string; lifetimeMs: number; refreshToken?: string }
  | { kind: 'refused'; reason: string; error?: string }
  | { kind: 'unavailable'; reason: string; waitMs?: number | undefined }

/** The endpoint's bad moments besides 5xx. */
const passingStatuses = new Set([408, 429])

/** The same in words, which come with 400 too. */
const passingErrors = new Set(['temporarily_unavailable', 'server_error', 'slow_down'])

/** Reads an answer by RFC 6749, sections 5.1 and 5.2; a proxy may have given it. `now`: milliseconds since 1970. */
export function classifyTokenAnswer(answer: HttpAnswer, now: number): TokenVerdict {
  const { status, headers, body } = answer
  const error = findError(body)
  const reason = describeAnswer(answer) ?? `HTTP ${status}`
  if (status >= 500 || passingStatuses.has(status) || passingErrors.has(error ?? '')) {
    return { kind: 'unavailable', reason, waitMs: parseRetryAfter(headers['retry-after'], now) }
  }
  if (status >= 300) return { kind: 'refused', reason, ...(error !== undefined && { error }) }
  // The body is not shown, because there may be a secret in it.
  return parseGrant(answer) ?? { kind: 'unavailable', reason: `HTTP ${status} without an access token` }
}

/** Such as `invalid_client`. A proxy may write anything, which is for the reason only. */
function findError(body: Buffer): string | undefined {
  const error = parseJsonObject(body.toString('utf8'))?.error
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined
}

function parseGrant({ body }: Pick<HttpAnswer, 'body'>): TokenVerdict | undefined {
  const {
    access_token,
    expires_in,
    refresh_token,
    token_type = 'Bearer',
  } = parseJsonObject(body.toString('utf8')) ?? {}
  const lifetimeMs = parseLifetimeMs(expires_in)
  if (!isTokenText(access_token) || lifetimeMs === undefined) return undefined
  if (String(token_type).toLowerCase() !== 'bearer') return undefined
  return {
    kind: 'granted',
    accessToken: access_token,
    lifetimeMs,
    ...(isTokenText(refresh_token) && { refreshToken: refresh_token }),
  }
}

/** Seconds; Microsoft's older endpoint writes them as a text. They may be left out, and a token that ends sooner is refused. */
function parseLifetimeMs(seconds: unknown = 3600): number | undefined {
  const isNumber = typeof seconds === 'number' || (typeof seconds === 'string' && /^\d{1,9}$/.test(seconds))
  return isNumber && Number(seconds) > 0 ? Number(seconds) * 1000 : undefined
}

function isTokenText(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}
