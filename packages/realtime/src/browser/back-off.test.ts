import { expect, test } from 'vitest'
import { backOffMs } from './back-off.js'

const limits = { first: 500, max: 30_000 }

test.each([
  [0, 500],
  [1, 500],
  [2, 1_000],
  [3, 2_000],
  [4, 4_000],
  [7, 30_000],
  [10_000, 30_000],
])('after %i failures it waits up to %i ms', (failures, longest) => {
  expect(backOffMs(failures, limits, () => 0)).toBe(0)
  expect(backOffMs(failures, limits, () => 1)).toBe(longest)
})
