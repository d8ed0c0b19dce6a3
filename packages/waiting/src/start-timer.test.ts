import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startTimer } from './start-timer.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('calls once the time is up, unless it is stopped', () => {
  const calls: string[] = []
  startTimer(100, () => calls.push('kept'))
  const stop = startTimer(100, () => calls.push('stopped'))
  vi.advanceTimersByTime(99)
  expect(calls).toEqual([])
  stop()
  vi.advanceTimersByTime(1)
  expect(calls).toEqual(['kept'])
})

test.each([Number.POSITIVE_INFINITY, 2 ** 31])('starts no timer for %d ms', (ms) => {
  const stop = startTimer(ms, () => {})
  expect(vi.getTimerCount()).toBe(0)
  stop()
})
