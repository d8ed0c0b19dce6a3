import type { StoredChatMessage } from '@mono/contracts'
import { expect, expectTypeOf, test } from 'vitest'
import { createMessage } from '../../test/support/create-message.js'
import { parseMessage, type RealtimeMessage } from './realtime-message.js'

test('a message of the browser is the one that chat-worker stores, of which a newer one may know more types', () => {
  expectTypeOf<StoredChatMessage>().toExtend<RealtimeMessage>()
  expectTypeOf<Omit<RealtimeMessage, 'messageType'>>().toExtend<Omit<StoredChatMessage, 'messageType'>>()
})

test('a type that a newer worker may send is taken, and is any text for the page', () => {
  const message = { ...createMessage('a', 1), messageType: 'poll' }
  expect(parseMessage(message, message)).toMatchObject({ messageType: 'poll' })
  expectTypeOf<string>().toExtend<RealtimeMessage['messageType']>()
})
