import {
  DeferError,
  type MessageHandler,
  type MessageQueue,
  PublishTimeoutError,
  QueueUnavailableError,
  type ReceivedMessage,
  RetryableError,
} from '@mono/message-queue'
import type { ChatStore } from './chat-store.js'
import { serializeByKey } from './serialize-by-key.js'

export interface ChatMessageHandlerOptions {
  store: ChatStore
  broadcaster: Pick<MessageQueue, 'broadcastChatMessage'>
}

/**
 * Stores a message and tells whoever listens. A redelivery is told again, with the sequence it has: the process may have
 * ended between the two. What is told is what is stored, so that listeners and readers of the table see the same.
 */
export function createChatMessageHandler({
  store,
  broadcaster,
}: ChatMessageHandlerOptions): MessageHandler<'chat.messages'> {
  return serializeByKey<Parameters<MessageHandler<'chat.messages'>>, void>(
    toConversation,
    async ({ payload }, { signal, logger }) => {
      // It may have waited for its turn longer than it is wanted.
      signal.throwIfAborted()
      const { stored, isNew } = await store.storeMessage(payload)
      const { sequence } = stored
      try {
        await broadcaster.broadcastChatMessage(stored, { signal })
      } catch (cause) {
        throw toBroadcastError(cause)
      }
      logger.debug({ sequence, isNew }, 'Chat message stored and broadcast')
    },
  )
}

/** It is stored, so nothing is wrong with it: as long as the broker is away, the message waits rather than being dead-lettered. */
function toBroadcastError(cause: unknown): Error {
  const message = 'The message is stored, but could not be broadcast'
  const isAway = cause instanceof QueueUnavailableError || cause instanceof PublishTimeoutError
  return isAway ? new DeferError(message, { cause }) : new RetryableError(message, { cause })
}

/** One after the other, because they would only wait for each other's lock, each holding a connection. */
function toConversation({ payload: { tenantId, conversationId } }: ReceivedMessage<'chat.messages'>): string {
  return `${tenantId}:${conversationId}`
}
