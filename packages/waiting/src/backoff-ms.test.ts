import { expect, test } from 'vitest'
import { backoffMs } from './backoff-ms.js'

const limits = { first: 100, max: 3_000 }

test.each([
  [0, 50, 100],
  [1, 50, 100],
  [2, 100, 200],
  [3, 200, 400],
  [4, 400, 800],
  [5, 800, 1600],
  [6, 1500, 3000],
  [10_000, 1500, 3000],
])('after %i failures it waits between %i and %i ms', (failures, shortest, longest) => {
  expect(backoffMs(failures, { ...limits, random: () => 0 })).toBe(shortest)
  expect(backoffMs(failures, { ...limits, random: () => 1 })).toBe(longest)
})

test('the delay is a whole number, and another one each time', () => {
  const delays = Array.from({ length: 20 }, () => backoffMs(6, limits))
  expect(delays.every(Number.isInteger)).toBe(true)
  expect(new Set(delays).size).toBeGreaterThan(1)
})
