import { describeAnswer, type HttpAnswer, parseJsonObject, parseRetryAfter } from '@mono/http-client'

/**
 * The decision of the token endpoint.
 * - `granted`: there is an access token
 * - `refused`: the settings, or the clock, are wrong, and asking again changes nothing
 * - `unavailable`: another time, maybe after `waitMs`
 */
export type TokenVerdict =
  | { kind: 'granted'; accessToken: string; lifetimeMs: number }
  | { kind: 'refused'; reason: string }
  | { kind: 'unavailable'; reason: string; waitMs?: number | undefined }

/** The endpoint's bad moments besides 5xx. */
const passingStatuses = new Set([408, 429])

/** Reads an answer by RFC 6749, sections 5.1 and 5.2; a proxy may have given it. `now`: milliseconds since 1970. */
export function classifyTokenAnswer(answer: HttpAnswer, now: number): TokenVerdict {
  const { status, headers } = answer
  const reason = describeAnswer(answer) ?? `HTTP ${status}`
  if (status >= 500 || passingStatuses.has(status)) {
    return { kind: 'unavailable', reason, waitMs: parseRetryAfter(headers['retry-after'], now) }
  }
  if (status >= 300) return { kind: 'refused', reason }
  // The body is not shown, because there may be a secret in it.
  return parseGrant(answer) ?? { kind: 'unavailable', reason: `HTTP ${status} without an access token` }
}

function parseGrant({ body }: Pick<HttpAnswer, 'body'>): TokenVerdict | undefined {
  const { access_token, expires_in, token_type = 'Bearer' } = parseJsonObject(body.toString('utf8')) ?? {}
  const isToken = typeof access_token === 'string' && /^[\x21-\x7e]+$/.test(access_token)
  const isLifetime = typeof expires_in === 'number' && expires_in > 0
  if (!isToken || !isLifetime || String(token_type).toLowerCase() !== 'bearer') return undefined
  return { kind: 'granted', accessToken: access_token, lifetimeMs: expires_in * 1000 }
}
