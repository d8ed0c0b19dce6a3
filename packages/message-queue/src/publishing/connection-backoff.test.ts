import { expect, test } from 'vitest'
import { reconnectDelayMs } from './connection-backoff.js'

test.each([
  [1, 50, 100],
  [2, 100, 200],
  [3, 200, 400],
  [4, 400, 800],
  [5, 800, 1600],
  [6, 1500, 3000],
  [1000, 1500, 3000],
])('after %i failures it waits between %i and %i ms', (failures, shortest, longest) => {
  expect(reconnectDelayMs(failures, () => 0)).toBe(shortest)
  expect(reconnectDelayMs(failures, () => 1)).toBe(longest)
})
