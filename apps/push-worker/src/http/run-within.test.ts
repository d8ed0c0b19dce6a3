import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runWithin } from './run-within.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

test('the signal is aborted when the time is up', async () => {
  const { signal } = new AbortController()
  const running = expect(runWithin({ timeoutMs: 100, signal }, untilAborted)).rejects.toThrow('longer than 100 ms')
  // And two turns of the event loop, a millisecond each of this clock.
  await vi.advanceTimersByTimeAsync(102)
  await running
})

test('the signal is aborted when the other one is, before or meanwhile, with its reason', async () => {
  const reason = new Error('stop')
  const controller = new AbortController()
  const running = runWithin({ timeoutMs: 100, signal: controller.signal }, untilAborted)
  controller.abort(reason)
  await expect(running).rejects.toBe(reason)
  await runWithin({ timeoutMs: 100, signal: controller.signal }, async (signal) => {
    expect(signal.reason).toBe(reason)
  })
})

test('no timer is left of what has settled', async () => {
  const { signal } = new AbortController()
  await runWithin({ timeoutMs: 100, signal }, async () => {})
  await runWithin({ timeoutMs: 100, signal }, () => Promise.reject(new Error('failed'))).catch(() => {})
  expect(vi.getTimerCount()).toBe(0)
})
