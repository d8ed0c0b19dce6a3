/** A reply that was written before. */
export interface ApnsReply {
  /** A notification is checked, and taken if it is in order, if this is 200. */
  status: number
  /** Apple's word, `Unregistered` for example. */
  reason?: string
  /** Since when the token is dead: milliseconds since 1970. */
  timestamp?: number
  /** Sent as `Retry-After`: seconds, or a date in HTTP's form. */
  retryAfter?: number | string
  /** Instead of the JSON of `reason` and `timestamp`. */
  body?: string
  /** Milliseconds between the check and the answer. Default 0. */
  delayMs?: number
}

/**
 * - a number is a status: 200 is what a notification in order gets anyway
 * - `hang`: never answers
 * - `drop`: the connection is closed without an answer; the notification counts as received if it is in order
 * - `rst`: RST_STREAM with this error code of HTTP/2, 7 (REFUSED_STREAM) for example
 */
export type ApnsAnswer = number | 'hang' | 'drop' | { rst: number } | ApnsReply

/** An answer that has a status, with all that is optional filled in. */
export interface ApnsOutcome {
  status: number
  reason: string | undefined
  headers: Record<string, string>
  body: string
  delayMs: number
}

export function toApnsOutcome(answer: number | ApnsReply): ApnsOutcome {
  const {
    status,
    reason,
    timestamp,
    retryAfter,
    delayMs = 0,
    ...reply
  }: ApnsReply = typeof answer === 'number' ? { status: answer } : answer
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  const body = reply.body ?? (reason === undefined ? '' : JSON.stringify({ reason, timestamp }))
  return { status, reason, headers, body, delayMs }
}
