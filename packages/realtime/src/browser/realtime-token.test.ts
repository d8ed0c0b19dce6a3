import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTestToken } from '../../test/support/create-test-token.js'
import { RealtimeToken, readClock } from './realtime-token.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const create = (options: Parameters<typeof createTestToken>[0] = {}, random = 0) =>
  new RealtimeToken(createTestToken(options), readClock(), () => random)

test.each([
  [3_600, 0, 2_880],
  [3_600, 1, 2_520],
  [900, 0, 720],
  [900, 1, 630],
  [120, 0, 90],
  [60, 0, 30],
  [10, 0, 5],
  [10, 1, 4],
])('a token of %i s is renewed, by chance %i, after %i s', (ttlSeconds, random, renewed) => {
  const token = create({ ttlSeconds }, random)
  expect([token.endsInMs, token.renewInMs]).toEqual([ttlSeconds * 1000, renewed * 1000])
})

test('its age is counted by the clock that has gone farther', () => {
  const token = create({ ttlSeconds: 900 })
  vi.advanceTimersByTime(100_000)
  expect(token.endsInMs).toBe(800_000)
  vi.setSystemTime(Date.now() - 5_000_000)
  expect(token.endsInMs).toBe(800_000)
  // A computer that slept: its other clock stood still.
  vi.setSystemTime(Date.now() + 5_000_000 + 300_000)
  expect(token.endsInMs).toBe(500_000)
})

test('it knows which conversations it names, as the broker does', () => {
  const token = create({ conversations: ['a', 'x.y', 'p q', 'a*', '😀'] })
  const named = ['a', 'x%2Ey', 'p q', 'a%2A', '😀'].map((word) => token.allows(`chat/42/${word}`))
  expect(named).toEqual([true, true, true, true, true])
  const others = ['chat/42/b', 'chat/42/ab', 'chat/43/a', 'chat/42/', 'chat/42/x.y', 'chat/4/2/a'].map((topic) =>
    token.allows(topic),
  )
  expect(others).toEqual([false, false, false, false, false, false])
})

test('a whole tenant is every conversation of that tenant', () => {
  const token = create({ conversations: 'whole-tenant' })
  expect(token.allows('chat/42/anything at all')).toBe(true)
  expect(token.allows('chat/421/a')).toBe(false)
})

test('its user and tenant are those of its subject', () => {
  expect(create({ userId: 'bob.evil' })).toMatchObject({ subject: '42.bob%2Eevil', tenantId: 42 })
})
