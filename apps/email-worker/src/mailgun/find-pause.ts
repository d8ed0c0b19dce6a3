import { type HttpAnswer, parseRetryAfter } from '@mono/http-client'

/**
 * Milliseconds for which Mailgun wants to be left alone, from a second to an hour: by a header, or by its words, "try again
 * after Mon, 25 Aug 2025 07:00:31 UTC". Undefined if it does not say. `now`: milliseconds since 1970.
 */
export function findPause(
  { headers, words }: Pick<HttpAnswer, 'headers'> & { words: string },
  now: number,
): number | undefined {
  const reset = headers['x-ratelimit-reset']
  const [, date] = /try again after (\w{3}, [\w :]{10,30} (?:UTC|GMT))/i.exec(words) ?? []
  return (
    parseRetryAfter(headers['retry-after'], now) ??
    parseRetryAfter(typeof reset === 'string' ? toHttpDate(reset) : undefined, now) ??
    parseRetryAfter(date, now)
  )
}

/** @param seconds since 1970 */
function toHttpDate(seconds: string): string | undefined {
  return /^\d{1,12}$/.test(seconds) ? new Date(Number(seconds) * 1000).toUTCString() : undefined
}
