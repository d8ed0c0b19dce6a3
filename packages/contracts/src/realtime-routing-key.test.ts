import { describe, expect, test } from 'vitest'
import { realtimeRoutingKey } from './realtime-routing-key.js'

describe('realtimeRoutingKey', () => {
  test('names the tenant and the conversation', () => {
    expect(realtimeRoutingKey(42, 'conversation-7')).toBe('chat.42.conversation-7')
  })

  test('percent-encodes what has a meaning in topics, and only that', () => {
    expect(realtimeRoutingKey(42, 'a.b*c#d/e+f%g h_é')).toBe('chat.42.a%2Eb%2Ac%23d%2Fe%2Bf%25g h_é')
  })

  test('keeps ids apart that differ only in encoding', () => {
    expect(realtimeRoutingKey(42, 'a.b')).not.toBe(realtimeRoutingKey(42, 'a%2Eb'))
  })

  test('fits any id of 128 bytes and any tenant into the 255 bytes of a routing key', () => {
    const ids = ['.'.repeat(128), 'a'.repeat(128), '😀'.repeat(32), `${'.'.repeat(77)}aa`, `${'.'.repeat(77)}aaa`]
    const keys = ids.map((id) => realtimeRoutingKey(Number.MAX_SAFE_INTEGER, id))
    for (const key of keys) {
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(255)
      expect(key.split('.')).toHaveLength(3)
    }
    expect(keys[0]).toMatch(/^chat\.9007199254740991\.%sha256-[0-9a-f]{64}$/)
    expect(Buffer.byteLength(keys[3] ?? '')).toBe(255)
    expect(keys[4]).toContain('%sha256-')
  })
})
