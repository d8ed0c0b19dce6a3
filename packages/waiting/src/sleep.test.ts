import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sleep } from './sleep.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('resolves after that time, and leaves no listener', async () => {
  const { signal } = new AbortController()
  let isAwake = false
  const slept = sleep(100, signal).then(() => {
    isAwake = true
  })
  await vi.advanceTimersByTimeAsync(99)
  expect(isAwake).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await slept
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('needs no signal', async () => {
  const slept = sleep(100)
  await vi.advanceTimersByTimeAsync(100)
  await slept
})

test('resolves as soon as the signal is aborted, also if it was aborted before, and leaves no timer', async () => {
  const controller = new AbortController()
  const slept = sleep(100, controller.signal)
  const sleptWithoutEnd = sleep(Number.POSITIVE_INFINITY, controller.signal)
  controller.abort()
  await Promise.all([slept, sleptWithoutEnd, sleep(100, controller.signal)])
  expect(vi.getTimerCount()).toBe(0)
})
