import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startRetention } from './start-retention.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const hourMs = 60 * 60 * 1000

test('it is kept to at once and every day, every hour while there is more to do, and not after a stop', async () => {
  const logger = createRecordingLogger()
  const outcomes = [false, new Error('database away'), true, true]
  const signals: AbortSignal[] = []
  const retention = startRetention({
    logger,
    async keep(signal) {
      signals.push(signal)
      const outcome = outcomes.shift()
      if (outcome instanceof Error) throw outcome
      return outcome ?? true
    },
  })
  const runs: number[] = []
  for (const hours of [0, 1, 1, 23, 1]) {
    await vi.advanceTimersByTimeAsync(hours * hourMs)
    runs.push(signals.length)
  }
  expect(runs).toEqual([1, 2, 3, 3, 4])
  expect(logger.lines).toMatchObject([{ level: 'warn', data: { err: { message: 'database away' } } }])
  retention.stop()
  await vi.advanceTimersByTimeAsync(48 * hourMs)
  expect([signals.length, signals[0]?.aborted]).toEqual([4, true])
})
