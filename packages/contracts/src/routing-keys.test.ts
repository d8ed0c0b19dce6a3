import { describe, expect, test } from 'vitest'
import { messageTypes } from './catalog.js'
import { routingKeysByType, typeOfRoutingKey } from './routing-keys.js'

describe('typeOfRoutingKey', () => {
  test.each(messageTypes)('finds %s by each of its routing keys', (type) => {
    for (const routingKey of routingKeysByType[type]) expect(typeOfRoutingKey(routingKey)).toBe(type)
  })

  test.each(['', 'chat', 'chat.*', 'chat.private', 'CHAT.direct', '__proto__'])('finds nothing by %j', (routingKey) => {
    expect(typeOfRoutingKey(routingKey)).toBeUndefined()
  })
})

test('every routing key belongs to one message type', () => {
  const routingKeys = Object.values(routingKeysByType).flat()
  expect(new Set(routingKeys).size).toBe(routingKeys.length)
})
