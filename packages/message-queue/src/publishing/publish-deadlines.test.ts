import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PublishDeadlines } from './publish-deadlines.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Keeps a set of deadlines and notes when each was found due, both from the start of the test. */
function createDeadlines() {
  const start = performance.now()
  const waiting: number[] = []
  const found: { deadline: number; at: number }[] = []
  const deadlines = new PublishDeadlines({
    expire(now) {
      const due = waiting.filter((deadline) => start + deadline <= now)
      for (const deadline of due) {
        waiting.splice(waiting.indexOf(deadline), 1)
        found.push({ deadline, at: now - start })
      }
      return start + Math.min(Number.POSITIVE_INFINITY, ...waiting)
    },
  })
  const watch = (deadline: number) => {
    waiting.push(deadline)
    deadlines.watch(start + deadline)
  }
  return { deadlines, watch, found }
}

test('nothing is due before its deadline', () => {
  const { watch, found } = createDeadlines()
  watch(100)
  vi.advanceTimersByTime(99)
  expect(found).toEqual([])
  vi.advanceTimersByTime(1)
  expect(found).toEqual([{ deadline: 100, at: 100 }])
})

test('a later message with an earlier deadline is found in time', () => {
  const { watch, found } = createDeadlines()
  watch(10_000)
  watch(50)
  vi.advanceTimersByTime(50)
  expect(found).toEqual([{ deadline: 50, at: 50 }])
  vi.advanceTimersByTime(10_000)
  expect(found.at(-1)).toEqual({ deadline: 10_000, at: 10_000 })
})

test('a thousand deadlines, one each millisecond, are found at most 20 ms late and in few rounds', () => {
  const { watch, found } = createDeadlines()
  for (let deadline = 1; deadline <= 1_000; deadline++) watch(deadline)
  vi.advanceTimersByTime(1_020)
  expect(found).toHaveLength(1_000)
  expect(Math.max(...found.map(({ deadline, at }) => at - deadline))).toBeLessThanOrEqual(20)
  expect(new Set(found.map(({ at }) => at)).size).toBeLessThanOrEqual(52)
})

test('there is one timer, and none when nothing is watched', () => {
  const { deadlines, watch } = createDeadlines()
  watch(100)
  watch(200)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(220)
  expect(vi.getTimerCount()).toBe(0)
  watch(5_000)
  deadlines.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('a deadline beyond the reach of a timer does not fire at once', () => {
  const { watch, found } = createDeadlines()
  watch(2 ** 33)
  watch(Number.POSITIVE_INFINITY)
  vi.advanceTimersByTime(2 ** 31)
  expect(found).toEqual([])
  expect(vi.getTimerCount()).toBe(1)
})
