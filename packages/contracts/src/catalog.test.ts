import { describe, expect, expectTypeOf, test } from 'vitest'
import type { z } from 'zod'
import { examples, type MessageType, messageTypes, type PayloadByType, schemas } from './catalog.js'
import { routingKeysByType } from './routing-keys.js'

describe('the catalog', () => {
  test('lists the same message types everywhere', () => {
    expect(Object.keys(schemas)).toEqual(messageTypes)
    expect(Object.keys(examples)).toEqual(messageTypes)
    expect(Object.keys(routingKeysByType)).toEqual(messageTypes)
  })

  test('has schemas that say the same as the types', () => {
    expectTypeOf<keyof PayloadByType>().toEqualTypeOf<MessageType>()
    expectTypeOf<{ [T in MessageType]: z.output<(typeof schemas)[T]> }>().toEqualTypeOf<PayloadByType>()
  })

  test.each(messageTypes)('has an example of %s with every field', (type) => {
    expect(Object.keys(examples[type])).toEqual(Object.keys(schemas[type].shape))
  })
})
