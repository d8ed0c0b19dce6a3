import { describe, expect, test } from 'vitest'
import { findDateFault, findDateTextFault } from './find-date-fault.js'

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

describe('findDateTextFault', () => {
  test.each([
    '2025-04-01T09:30:00Z',
    '2025-04-01T09:30:00.250Z',
    '2025-04-01T09:30:00.123456789+00:00',
    '2025-04-01T09:30+02:00',
    '2024-02-29T23:59:59.9-11:30',
  ])('accepts %s', (iso) => {
    expect(findDateTextFault(iso)).toBeUndefined()
    expect(new Date(iso).getTime()).not.toBeNaN()
  })

  test.each([
    '2025-04-01T09:30:00',
    '2025-04-01',
    '2025-04-01 09:30:00Z',
    '2025-04-01T09:30:00+0200',
    '2025-02-29T09:30:00Z',
    '2025-04-31T09:30:00Z',
    '2025-04-01T24:00:00Z',
    '2025-04-01T09:60:00Z',
    '2025-04-01T09:30:60Z',
    '2025-04-01T09:30:00+24:00',
    '+010000-01-01T00:00:00Z',
    '0000-06-01T00:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '2025-04-01T09:30:00Z\n',
    'Tue, 01 Apr 2025 09:30:00 GMT',
    1_743_499_800_000,
    null,
  ])('refuses %j', (value) => {
    expect(findDateTextFault(value)).toContain('expected an ISO 8601 date and time with offset')
  })
})
