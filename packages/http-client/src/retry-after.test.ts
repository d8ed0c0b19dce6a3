import { expect, test } from 'vitest'
import { parseRetryAfter } from './retry-after.js'

const now = Date.parse('2026-11-24T10:00:00Z')

test.each([
  ['3', 3000],
  [' 120 ', 120_000],
  ['0', 1000],
  ['86400', 3_600_000],
  ['99999999999999999999', 3_600_000],
  ['Tue, 24 Nov 2026 10:00:30 GMT', 30_000],
  ['Tuesday, 24-Nov-26 10:00:30 GMT', 30_000],
  ['Tue, 24 Nov 2026 09:00:00 GMT', 1000],
  ['Wed, 25 Nov 2026 10:00:00 GMT', 3_600_000],
])('%j means a wait of %i ms, from a second to an hour', (value, waitMs) => {
  expect(parseRetryAfter(value, now)).toBe(waitMs)
})

test.each([undefined, '', 'soon', '-5', '1.5', '3 s'])('%j means nothing', (value) => {
  expect(parseRetryAfter(value, now)).toBeUndefined()
})
