import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConnectionSlots } from './connection-slots.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('whoever waits is served when the limit grows again, though nothing is given back', async () => {
  const slots = new ConnectionSlots(10)
  expect([slots.takeFree(), slots.takeFree()]).toEqual([true, true])
  expect(slots.giveBackRefused({ wasAlone: false })).toBe(true)
  const served = vi.fn()
  void slots.take().then(served)
  vi.advanceTimersByTime(1000)
  expect(slots.takeFree()).toBe(false)
  await vi.advanceTimersByTimeAsync(0)
  expect(served).toHaveBeenCalledOnce()
})

test('of several that are refused at once, one asks again alone', () => {
  const slots = new ConnectionSlots(2)
  expect([slots.takeFree(), slots.takeFree(), slots.isAlone]).toEqual([true, true, false])
  expect(slots.giveBackRefused({ wasAlone: false })).toBe(true)
  expect(slots.giveBackRefused({ wasAlone: false })).toBe(true)
  expect([slots.takeFree(), slots.isAlone]).toEqual([true, true])
  expect(slots.giveBackRefused({ wasAlone: true })).toBe(false)
})
