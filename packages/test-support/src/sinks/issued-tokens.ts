import { randomBytes } from 'node:crypto'
import type { PushReply } from './push-answer.js'

/** The access tokens that a token endpoint has given out. */
export interface IssuedTokens {
  /** The answer with a new one, and with these fields beside it. */
  issue(fields?: Record<string, unknown>): PushReply
  /** Tells whether an access token was given out, and has neither ended nor been revoked. */
  isValid(token: string): boolean
  /** From now on none of the access tokens is accepted. */
  revokeAll(): void
  /** Sets how long an access token lasts from now on. Default 3599. */
  setLifetime(seconds: number): void
}

/** `now`: milliseconds since 1970. */
export function createIssuedTokens(now: () => number = Date.now): IssuedTokens {
  const endsAt = new Map<string, number>()
  let lifetimeSeconds = 3599
  return {
    issue(fields = {}) {
      const token = `ya29.${randomBytes(24).toString('base64url')}`
      endsAt.set(token, now() + lifetimeSeconds * 1000)
      return toTokenReply(200, {
        access_token: token,
        expires_in: lifetimeSeconds,
        token_type: 'Bearer',
        ...fields,
      })
    },
    isValid: (token) => now() < (endsAt.get(token) ?? 0),
    revokeAll: () => endsAt.clear(),
    setLifetime(seconds) {
      lifetimeSeconds = seconds
    },
  }
}

/** An answer of a token endpoint (RFC 6749, sections 5.1 and 5.2). */
export function toTokenReply(status: number, body: object): PushReply {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  return { status, headers, body: JSON.stringify(body) }
}
