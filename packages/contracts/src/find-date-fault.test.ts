import { describe, expect, test } from 'vitest'
import { findDateFault } from './find-date-fault.js'

describe('findDateFault', () => {
  test.each(['0001-01-01T00:00:00.000Z', '2025-04-01T09:30:00.250Z', '9999-12-31T23:59:59.999Z'])(
    'accepts %s',
    (iso) => {
      expect(findDateFault(new Date(iso))).toBeUndefined()
    },
  )

  test.each([
    ['an invalid Date', new Date(Number.NaN), 'expected a valid Date in the years 0001 to 9999, found an invalid Date'],
    ['the year 10000', new Date('+010000-01-01T00:00:00Z'), 'expected a valid Date in the years 0001 to 9999'],
    ['a year before 1', new Date('0000-12-31T23:59:59Z'), 'expected a valid Date in the years 0001 to 9999'],
    ['text', '2025-04-01T09:30:00Z', 'expected a Date, found a string of 20 characters'],
    ['a number', 0, 'expected a Date, found a number'],
  ])('refuses %s and says why', (_, value, reason) => {
    expect(findDateFault(value)).toContain(reason)
  })
})
