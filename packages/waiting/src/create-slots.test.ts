import { expect, onTestFinished, test, vi } from 'vitest'
import { type AcquireOptions, createSlots } from './create-slots.js'

const { signal } = new AbortController()

/** The names of those who were admitted, in order. */
function setUp(limit: number) {
  const slots = createSlots(limit)
  const admitted: string[] = []
  const enter = (name: string, own = signal, options: AcquireOptions = {}) =>
    slots.acquire(own, options).then(() => void admitted.push(name))
  return { slots, admitted, enter }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('there are never more holders than slots, and those who wait are served in order', async () => {
  const { slots, admitted, enter } = setUp(2)
  const entering = ['a', 'b', 'c', 'd'].map((name) => enter(name))
  await turn()
  expect(admitted).toEqual(['a', 'b'])
  expect([slots.held, slots.waiting]).toEqual([2, 2])
  slots.release()
  await turn()
  expect(admitted).toEqual(['a', 'b', 'c'])
  slots.release()
  await Promise.all(entering)
  expect(admitted).toEqual(['a', 'b', 'c', 'd'])
})

test('more slots admit at once, fewer only as those held are released', async () => {
  const { slots, admitted, enter } = setUp(1)
  const entering = ['a', 'b', 'c', 'd'].map((name) => enter(name))
  slots.resize(3)
  await turn()
  expect(admitted).toEqual(['a', 'b', 'c'])
  slots.resize(1)
  slots.release()
  slots.release()
  await turn()
  expect(admitted).toEqual(['a', 'b', 'c'])
  slots.release()
  await Promise.all(entering)
  expect(slots.held).toBe(1)
})

test('whoever waits beyond its deadline is refused, and leaves no timer otherwise', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { slots, admitted, enter } = setUp(1)
  const late = new Error('too slow')
  const options = { deadline: { ms: 1000, createError: () => late } }
  await enter('a', signal, options)
  const waiting = enter('b', signal, options)
  const patient = enter('c')
  const refused = expect(waiting).rejects.toBe(late)
  vi.advanceTimersByTime(999)
  expect(slots.waiting).toBe(2)
  vi.advanceTimersByTime(1)
  await refused
  slots.release()
  await patient
  const next = enter('d', signal, options)
  slots.release()
  await next
  expect(admitted).toEqual(['a', 'c', 'd'])
  expect(vi.getTimerCount()).toBe(0)
})

test('whoever stops waiting loses the turn and nobody else does', async () => {
  const { slots, admitted, enter } = setUp(1)
  await enter('a')
  const leaving = new AbortController()
  const gone = enter('b', leaving.signal)
  const staying = enter('c')
  const reason = new Error('no longer wanted')
  leaving.abort(reason)
  await expect(gone).rejects.toBe(reason)
  slots.release()
  await staying
  expect(admitted).toEqual(['a', 'c'])
})

test('groups take turns, however many of one wait', async () => {
  const { slots, admitted, enter } = setUp(1)
  const entering = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) =>
    enter(name, signal, { group: name.slice(0, 1) }),
  )
  for (let released = 0; released < 6; released += 1) {
    await turn()
    slots.release()
  }
  await Promise.all(entering)
  expect(admitted).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

test('a group whose last one stops waiting loses its turn', async () => {
  const { slots, admitted, enter } = setUp(1)
  await enter('a1', signal, { group: 'a' })
  const leaving = new AbortController()
  const gone = enter('b1', leaving.signal, { group: 'b' })
  const staying = enter('c1', signal, { group: 'c' })
  leaving.abort(new Error('no longer wanted'))
  await expect(gone).rejects.toBe(leaving.signal.reason)
  expect(slots.waiting).toBe(1)
  slots.release()
  await staying
  expect(admitted).toEqual(['a1', 'c1'])
})

test('an aborted signal gets no slot, even if one is free', async () => {
  const { slots, enter } = setUp(1)
  await expect(enter('a', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
  expect(slots.held).toBe(0)
})

test('those who wait can be refused together, and whoever comes later waits again', async () => {
  const { slots, admitted, enter } = setUp(1)
  await enter('a')
  const refused = Promise.allSettled([enter('b'), enter('c')])
  slots.refuseWaiting(new Error('closed'))
  expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const later = enter('d')
  slots.release()
  await later
  expect(admitted).toEqual(['a', 'd'])
})

test('whoever takes several is admitted as soon as one is free, and gives all of them back', async () => {
  const { slots, admitted, enter } = setUp(2)
  await enter('a')
  await enter('b', signal, { count: 5 })
  const waiting = enter('c')
  slots.release()
  await turn()
  expect([slots.held, admitted]).toEqual([5, ['a', 'b']])
  slots.release(5)
  await waiting
  expect(slots.held).toBe(1)
})
