import { expect, test } from 'vitest'
import { chatMessage } from '../test/received-chat-message.js'
import { findDifferences } from './find-differences.js'

test('the same fields make the same message', () => {
  const timestamp = new Date(chatMessage().timestamp)
  expect(findDifferences(chatMessage(), chatMessage({ timestamp }))).toEqual([])
})

test.each([
  ['conversationId', { conversationId: 'other' }],
  ['senderId', { senderId: 'other' }],
  ['content', { content: 'other' }],
  ['messageType', { messageType: 'image' as const }],
  ['timestamp', { timestamp: new Date(chatMessage().timestamp.getTime() + 1) }],
])('another %s makes another message', (field, other) => {
  expect(findDifferences(chatMessage(), chatMessage(other))).toEqual([field])
})

test('content is compared as it is, not as it looks', () => {
  expect(findDifferences(chatMessage({ content: 'é' }), chatMessage({ content: 'e\u0301' }))).toEqual(['content'])
})
