import type { StoredChatMessage } from '@mono/contracts'
import { DeferError, PublishTimeoutError, QueueUnavailableError, RetryableError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { chatMessage, receivedChatMessage } from '../test/received-chat-message.js'
import type { ChatStore } from './chat-store.js'
import { createChatMessageHandler } from './handle-chat-message.js'

const context = { signal: new AbortController().signal, logger: createRecordingLogger() }

function setUp({
  storeMessage = async (message) => ({ stored: { ...message, sequence: 1 }, isNew: true }),
  broadcast = async () => {},
}: {
  storeMessage?: ChatStore['storeMessage']
  broadcast?: (message: StoredChatMessage) => Promise<void>
} = {}) {
  const steps: string[] = []
  const broadcasts: StoredChatMessage[] = []
  const handle = createChatMessageHandler({
    store: {
      async storeMessage(message) {
        steps.push(`store ${message.messageId}`)
        return await storeMessage(message)
      },
    },
    broadcaster: {
      async broadcastChatMessage(message) {
        steps.push(`broadcast ${message.messageId}`)
        broadcasts.push(message)
        await broadcast(message)
      },
    },
  })
  return { steps, broadcasts, handle }
}

test('a message is stored, then broadcast with its sequence', async () => {
  const { steps, broadcasts, handle } = setUp()
  await handle(receivedChatMessage({ messageId: 'a' }), context)
  expect(steps).toEqual(['store a', 'broadcast a'])
  expect(broadcasts).toEqual([{ ...chatMessage({ messageId: 'a' }), sequence: 1 }])
})

test('what is broadcast is what is stored, not what was received', async () => {
  const stored = { ...chatMessage({ content: 'as stored' }), sequence: 7 }
  const { broadcasts, handle } = setUp({ storeMessage: async () => ({ stored, isNew: false }) })
  await handle(receivedChatMessage({ content: 'as received' }), context)
  expect(broadcasts).toEqual([stored])
})

test('a redelivery is broadcast again', async () => {
  const { broadcasts, handle } = setUp({
    storeMessage: async (message) => ({ stored: { ...message, sequence: 4 }, isNew: false }),
  })
  await handle(receivedChatMessage(), context)
  await handle(receivedChatMessage(), context)
  expect(broadcasts.map(({ sequence }) => sequence)).toEqual([4, 4])
})

test('a message that could not be stored is not broadcast', async () => {
  const error = new DeferError('database away', { code: 'DATABASE_UNAVAILABLE' })
  const { broadcasts, handle } = setUp({ storeMessage: () => Promise.reject(error) })
  await expect(handle(receivedChatMessage(), context)).rejects.toBe(error)
  expect(broadcasts).toEqual([])
})

test('a broadcast that fails is retried, with its cause', async () => {
  const cause = new Error('no connection')
  const { handle } = setUp({ broadcast: () => Promise.reject(cause) })
  const handling = handle(receivedChatMessage(), context)
  await expect(handling).rejects.toBeInstanceOf(RetryableError)
  await expect(handling).rejects.toMatchObject({ cause })
})

test('a conversation is handled one message at a time, others meanwhile', async () => {
  let finishBroadcast = () => {}
  const { steps, handle } = setUp({
    broadcast: async ({ messageId }) => {
      if (messageId === 'a1') await new Promise<void>((resolve) => (finishBroadcast = resolve))
    },
  })
  const handling = [
    handle(receivedChatMessage({ messageId: 'a1', conversationId: 'a' }), context),
    handle(receivedChatMessage({ messageId: 'a2', conversationId: 'a' }), context),
    handle(receivedChatMessage({ messageId: 'b1', conversationId: 'b' }), context),
    handle(receivedChatMessage({ messageId: 'a3', conversationId: 'a', tenantId: 43 }), context),
  ]
  await Promise.all(handling.slice(2))
  expect(steps).not.toContain('store a2')
  finishBroadcast()
  await Promise.all(handling)
  expect(steps.slice(-2)).toEqual(['store a2', 'broadcast a2'])
})

test('a message whose time was up while it waited for its turn is left alone', async () => {
  const { steps, handle } = setUp()
  const reason = new Error('time is up')
  await expect(handle(receivedChatMessage(), { ...context, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(steps).toEqual([])
})

test.each([new QueueUnavailableError('no connection', { reason: 'deadline' }), new PublishTimeoutError('no confirm')])(
  'a stored message waits while the broker takes no broadcast: $name',
  async (failure) => {
    const { handle } = setUp({ broadcast: () => Promise.reject(failure) })
    await expect(handle(receivedChatMessage(), context)).rejects.toBeInstanceOf(DeferError)
  },
)
