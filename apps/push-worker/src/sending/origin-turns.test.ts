import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOriginTurns } from './origin-turns.js'

const { signal } = new AbortController()

beforeEach(() => void vi.useFakeTimers())

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const settled = async (entering: Promise<unknown>) => {
  const pending = Symbol('pending')
  await vi.advanceTimersByTimeAsync(0)
  return (await Promise.race([entering, Promise.resolve(pending)])) !== pending
}

test('so many devices of a push service are in hand, and those of one message beyond; few wait for no turn', async () => {
  const turns = createOriginTurns(400)
  const first = await turns.enter('a', { tenantId: 1, devices: 300 }, signal)
  const second = await turns.enter('a', { tenantId: 1, devices: 200 }, signal)
  const third = turns.enter('a', { tenantId: 1, devices: 11 }, signal)
  expect(await settled(third)).toBe(false)
  expect(await settled(turns.enter('a', { tenantId: 1, devices: 10 }, signal))).toBe(true)
  second()
  expect(await settled(third)).toBe(true)
  first()
  ;(await third)()
})

test('whoever waits for one push service is behind nobody at another', async () => {
  const turns = createOriginTurns(1)
  const leave = await turns.enter('a', { tenantId: 1, devices: 200 }, signal)
  expect(await settled(turns.enter('b', { tenantId: 1, devices: 200 }, signal))).toBe(true)
  leave()
})

test('tenants take turns', async () => {
  const turns = createOriginTurns(1)
  const leave = await turns.enter('a', { tenantId: 1, devices: 11 }, signal)
  const own = [1, 2].map(() => turns.enter('a', { tenantId: 1, devices: 11 }, signal))
  const other = turns.enter('a', { tenantId: 2, devices: 11 }, signal)
  leave()
  ;(await own[0])?.()
  expect(await settled(other)).toBe(true)
  ;(await other)()
  ;(await own[1])?.()
})

test('after a minute in line the message is to come back', async () => {
  const turns = createOriginTurns(1)
  const leave = await turns.enter('a', { tenantId: 1, devices: 11 }, signal)
  const late = expect(turns.enter('a', { tenantId: 1, devices: 11 }, signal)).rejects.toMatchObject({
    name: 'DeferError',
  })
  await vi.advanceTimersByTimeAsync(60_000)
  await late
  leave()
})
