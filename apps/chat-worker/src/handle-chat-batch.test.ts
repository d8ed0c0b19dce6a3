import type { StoredChatMessage } from '@mono/contracts'
import {
  DeferError,
  PublishForbiddenError,
  PublishTimeoutError,
  QueueUnavailableError,
  RetryableError,
} from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { chatMessage, receivedChatMessage } from '../test/received-chat-message.js'
import type { ChatStore, Outcome } from './chat-store.js'
import { createChatBatchHandler } from './handle-chat-batch.js'

const context = { signal: new AbortController().signal, logger: createRecordingLogger() }
const inConversation = (messageId: string) => receivedChatMessage({ messageId, conversationId: messageId.slice(0, 1) })

function setUp({
  outcomes = {},
  broadcast = async () => {},
}: {
  outcomes?: Record<string, Outcome>
  broadcast?: (message: StoredChatMessage) => Promise<void>
} = {}) {
  const broadcasts: StoredChatMessage[] = []
  const storeBatch: ChatStore['storeBatch'] = async (messages) =>
    messages.map((message) => outcomes[message.messageId] ?? { stored: { ...message, sequence: 1 }, isNew: true })
  const handler = createChatBatchHandler({
    store: { storeBatch },
    broadcaster: {
      async broadcastChatMessage(message) {
        broadcasts.push(message)
        await broadcast(message)
      },
    },
  })
  /** The failures by message id. */
  async function handle(...messageIds: string[]) {
    const failures = (await handler(messageIds.map(inConversation), context)) ?? new Map()
    return Object.fromEntries([...failures].map(([{ messageId }, failure]) => [messageId, failure]))
  }
  return { broadcasts, handle }
}

test('messages are stored, then broadcast as they are stored, in order and without waiting for each other', async () => {
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const stored = { ...chatMessage({ messageId: 'a2', content: 'as stored' }), sequence: 7 }
  const { broadcasts, handle } = setUp({
    outcomes: { a2: { stored, isNew: false } },
    async broadcast() {
      if (broadcasts.length === 3) finish()
      await finished
    },
  })
  expect(await handle('a1', 'a2', 'b1')).toEqual({})
  expect(broadcasts.map(({ messageId }) => messageId)).toEqual(['a1', 'a2', 'b1'])
  expect(broadcasts[1]).toEqual(stored)
})

test('a message that could not be stored is not broadcast, and fails alone', async () => {
  const failure = new RetryableError('not this one')
  const { broadcasts, handle } = setUp({ outcomes: { a1: { failure } } })
  expect(await handle('a1', 'b1')).toEqual({ a1: failure })
  expect(broadcasts.map(({ messageId }) => messageId)).toEqual(['b1'])
})

test('a database that is away fails the batch', async () => {
  const error = new DeferError('database away', { code: 'DATABASE_UNAVAILABLE' })
  const broadcaster = { broadcastChatMessage: async () => {} }
  const handler = createChatBatchHandler({ store: { storeBatch: () => Promise.reject(error) }, broadcaster })
  await expect(handler([receivedChatMessage()], context)).rejects.toBe(error)
})

test('after a broadcast that fails, the rest of its conversation is told again in order', async () => {
  const cause = new Error('no luck')
  const { handle } = setUp({
    async broadcast({ messageId }) {
      if (messageId === 'a2') throw cause
    },
  })
  const failed = expect.objectContaining({ name: 'RetryableError', cause })
  expect(await handle('a1', 'b1', 'a2', 'b2', 'a3')).toEqual({ a2: failed, a3: failed })
})

test.each([
  new QueueUnavailableError('no connection', { reason: 'deadline' }),
  new PublishTimeoutError('no confirm'),
  new PublishForbiddenError('no right', { exchange: 'chat.broadcast', routingKey: '1.c', user: 'chat' }),
])('a stored message waits while the broker takes no broadcast: $name', async (failure) => {
  const { handle } = setUp({ broadcast: () => Promise.reject(failure) })
  expect(await handle('a1')).toEqual({ a1: expect.any(DeferError) })
})
