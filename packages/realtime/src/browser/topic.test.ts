import { realtimeRoutingKey } from '@mono/contracts'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { topicOf } from './topic.js'

afterEach(() => void vi.unstubAllGlobals())

const ids = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
    fc.string({ unit: fc.constantFrom('.', '*', '#', '/', '+', '%', 'a', '語', '😀'), minLength: 1, maxLength: 128 }),
  )
  .filter((id) => Buffer.byteLength(id) <= 128)

test('a topic is the routing key of the broadcasts, with / for .', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), ids, async (tenantId, id) => {
      const topic = await topicOf(tenantId, id)
      expect(topic.replaceAll('/', '.')).toBe(realtimeRoutingKey(tenantId, id))
      expect(topic.split('/')).toHaveLength(3)
    }),
    { numRuns: 1_000 },
  )
})

test('the longest ids are hashed, which both do alike', async () => {
  const id = '%'.repeat(128)
  expect(await topicOf(42, id)).toMatch(/^chat\/42\/%sha256-[0-9a-f]{64}$/)
  expect(await topicOf(42, id)).toBe(realtimeRoutingKey(42, id).replaceAll('.', '/'))
})

test('a page that cannot hash says what it needs', async () => {
  vi.stubGlobal('crypto', {})
  await expect(topicOf(42, '.'.repeat(128))).rejects.toThrow(/secure context.*https:/)
  await expect(topicOf(42, 'a')).resolves.toBe('chat/42/a')
})
