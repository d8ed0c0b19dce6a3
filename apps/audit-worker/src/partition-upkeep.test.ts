import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPartitionUpkeep } from './partition-upkeep.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const minuteMs = 60 * 1000
const hourMs = 60 * minuteMs

function setUp(...failures: (Error | undefined)[]) {
  const logger = createRecordingLogger()
  const looks: Date[] = []
  const counts: (number | Error)[] = []
  const partitions = {
    async ensureDue() {
      looks.push(new Date())
      const failure = failures.shift()
      if (failure) throw failure
    },
    async countInDefault() {
      const count = counts.shift() ?? 0
      if (count instanceof Error) throw count
      return count
    },
  }
  return { looks, counts, lines: logger.lines, start: () => startPartitionUpkeep(partitions, logger) }
}

test('partitions are made at the start and once an hour until it is stopped', async () => {
  const { looks, start } = setUp()
  const upkeep = await start()
  expect(looks).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2 * hourMs)
  expect(looks).toHaveLength(3)
  upkeep.stop()
  await vi.advanceTimersByTimeAsync(2 * hourMs)
  expect(looks).toHaveLength(3)
})

test('a failure is logged, keeps the worker from nothing, and is made good an hour later', async () => {
  const { looks, lines, start } = setUp(new Error('database away'))
  const upkeep = await start()
  expect([looks.length, lines.length]).toEqual([1, 1])
  await vi.advanceTimersByTimeAsync(hourMs)
  expect([looks.length, lines.length]).toEqual([2, 1])
  upkeep.stop()
})

test('what the default partition holds is counted at the start and once a minute; a failure leaves the last count', async () => {
  const { counts, start } = setUp()
  counts.push(3, 5, new Error('database away'), 7)
  const upkeep = await start()
  const seen = [upkeep.inDefault]
  for (let minute = 0; minute < 3; minute += 1) {
    await vi.advanceTimersByTimeAsync(minuteMs)
    seen.push(upkeep.inDefault)
  }
  expect(seen).toEqual([3, 5, 5, 7])
  upkeep.stop()
})
