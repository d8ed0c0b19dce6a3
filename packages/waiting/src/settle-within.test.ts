import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { settleWithin } from './settle-within.js'

const never = new Promise<never>(() => undefined)
const createError = () => new Error('too late')

test('settles as the promise does, and leaves no timer and no listener', async () => {
  const clear = vi.spyOn(globalThis, 'clearTimeout')
  const { signal } = new AbortController()
  await expect(settleWithin(Promise.resolve(1), { ms: 10_000, signal, createError })).resolves.toBe(1)
  await expect(settleWithin(Promise.reject(new Error('no')), { ms: 10_000, signal, createError })).rejects.toThrow('no')
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(clear).toHaveBeenCalledTimes(2)
  clear.mockRestore()
})

test('rejects when the time is up', async () => {
  await expect(settleWithin(never, { ms: 5, createError })).rejects.toThrow('too late')
})

test('rejects with the reason of the signal, also if it was aborted before', async () => {
  const abort = new AbortController()
  const settled = settleWithin(never, { ms: Number.POSITIVE_INFINITY, signal: abort.signal, createError })
  abort.abort(new Error('gave up'))
  await expect(settled).rejects.toThrow('gave up')
  await expect(settleWithin(never, { ms: 10_000, signal: abort.signal, createError })).rejects.toThrow('gave up')
})
