import { expect, test } from 'vitest'
import { findClockFault } from './find-clock-fault.js'

const noon = Date.parse('2026-01-02T12:00:00Z')
const minute = 60_000

test.each([
  ['the same', 0],
  ['a minute ahead', minute],
  ['a minute behind', -minute],
])('clocks that are %s are close enough', (_what, ms) => {
  expect(findClockFault({ askedAt: noon, answeredAt: noon, databaseTime: noon + ms })).toBeUndefined()
})

test('a slow answer is no difference', () => {
  expect(findClockFault({ askedAt: noon, answeredAt: noon + 5 * minute, databaseTime: noon + minute })).toBeUndefined()
})

test.each([2 * minute, -2 * minute])('a difference of %d ms is told with both times', (ms) => {
  const fault = findClockFault({ askedAt: noon, answeredAt: noon, databaseTime: noon + ms })
  expect(fault).toContain('this process has 2026-01-02T12:00:00.000Z')
  expect(fault).toContain(`the database ${new Date(noon + ms).toISOString()}`)
})
