import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { untilAborted } from './until-aborted.js'

const never = new Promise<never>(() => undefined)

test('settles as the promise does, and leaves no listener', async () => {
  const { signal } = new AbortController()
  await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1)
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('rejects with the reason of the signal, or with the error made for it', async () => {
  const controller = new AbortController()
  const reason = new Error('gave up')
  const plain = untilAborted(never, controller.signal)
  const own = untilAborted(never, controller.signal, () => new Error('own'))
  controller.abort(reason)
  await expect(plain).rejects.toBe(reason)
  await expect(own).rejects.toThrow('own')
})

test('a signal that is aborted already comes before a promise that is settled, and drops its rejection', async () => {
  const signal = AbortSignal.abort(new Error('gave up'))
  await expect(untilAborted(Promise.resolve(1), signal)).rejects.toThrow('gave up')
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('gave up')
})
