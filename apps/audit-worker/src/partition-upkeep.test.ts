import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPartitionUpkeep } from './partition-upkeep.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp(...failures: (Error | undefined)[]) {
  const logger = createRecordingLogger()
  const looks: Date[] = []
  const partitions = {
    async ensureAhead() {
      looks.push(new Date())
      const failure = failures.shift()
      if (failure) throw failure
    },
  }
  return { looks, lines: logger.lines, start: () => startPartitionUpkeep(partitions, logger) }
}

test('partitions are made at the start and once a day until it is stopped', async () => {
  const { looks, start } = setUp()
  const upkeep = await start()
  expect(looks).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2 * 24 * 60 * 60 * 1000)
  expect(looks).toHaveLength(3)
  upkeep.stop()
  await vi.advanceTimersByTimeAsync(2 * 24 * 60 * 60 * 1000)
  expect(looks).toHaveLength(3)
})

test('a failure is logged, keeps the worker from nothing, and is made good the next day', async () => {
  const { looks, lines, start } = setUp(new Error('database away'))
  const upkeep = await start()
  expect([looks.length, lines.length]).toEqual([1, 1])
  await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1000)
  expect([looks.length, lines.length]).toEqual([2, 1])
  upkeep.stop()
})
