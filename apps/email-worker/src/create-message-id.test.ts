import { expect, test } from 'vitest'
import { createMessageId } from './create-message-id.js'

const identity = { tenantId: 42, messageId: 'm1', recipient: 'ada@example.com', domain: 'mono.example', reuses: 0 }

test('the same mail has the same id at every try', () => {
  expect(createMessageId(identity)).toMatch(/^<[0-9a-f]{64}@mono\.example>$/)
  expect(createMessageId({ ...identity })).toBe(createMessageId(identity))
})

test('tenant, message and recipient each make another id, and none runs into the next', () => {
  const ids = [
    identity,
    { ...identity, tenantId: 43 },
    { ...identity, messageId: 'm2' },
    { ...identity, recipient: 'grace@example.com' },
    { ...identity, tenantId: 4, messageId: '2m1' },
    { ...identity, messageId: 'm', recipient: '1ada@example.com' },
    { ...identity, reuses: 1 },
    { ...identity, reuses: 2 },
  ].map(createMessageId)
  expect(new Set(ids).size).toBe(ids.length)
})
