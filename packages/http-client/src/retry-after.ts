const minWaitMs = 1000

/** The queue's TTL: whoever waits longer has expired. */
const maxWaitMs = 60 * 60 * 1000

/**
 * Milliseconds to wait by a `Retry-After` header: seconds, or a date (RFC 9110, section 10.2.3). From a second to an
 * hour; undefined for anything else.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : toTime(text) - now
  if (Number.isNaN(waitMs)) return undefined
  return Math.min(Math.max(waitMs, minWaitMs), maxWaitMs)
}

/** `Date.parse` takes much more than the dates of HTTP, the year alone for example; they all name the day. */
function toTime(text: string): number {
  return /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN
}
