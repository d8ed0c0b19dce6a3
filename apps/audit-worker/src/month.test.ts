import { expect, test } from 'vitest'
import { toFirstInstant, toMonth, toPartitionName } from './month.js'

test('a month begins and ends in UTC', () => {
  const january = toMonth(new Date('2025-01-01T00:00:00.000Z'))
  expect(toMonth(new Date('2024-12-31T23:59:59.999Z'))).toBe(january - 1)
  expect(toMonth(new Date('2025-01-31T23:59:59.999Z'))).toBe(january)
  expect(toMonth(new Date('2025-01-31T23:30:00.000-02:00'))).toBe(january + 1)
})

test('December is followed by January of the next year', () => {
  const december = toMonth(new Date('2025-12-15T00:00:00Z'))
  expect(toFirstInstant(december)).toBe('2025-12-01 00:00:00+00')
  expect(toFirstInstant(december + 1)).toBe('2026-01-01 00:00:00+00')
})

test('the partition is named for its month', () => {
  expect(toPartitionName(toMonth(new Date('2025-01-15T00:00:00Z')))).toBe('events_2025_01')
  expect(toPartitionName(toMonth(new Date('2025-12-15T00:00:00Z')))).toBe('events_2025_12')
})
