import type { StoredChatMessage } from '@mono/contracts'
import {
  type BatchHandler,
  DeferError,
  type MessageQueue,
  PublishForbiddenError,
  PublishTimeoutError,
  QueueUnavailableError,
  type ReceivedMessage,
  RetryableError,
} from '@mono/message-queue'
import type { ChatStore } from './chat-store.js'
import { conversationKey } from './conversation-key.js'

export interface ChatBatchHandlerOptions {
  store: ChatStore
  broadcaster: Pick<MessageQueue, 'broadcastChatMessage'>
}

type ChatReceived = ReceivedMessage<'chat.messages'>

/**
 * Stores messages and tells whoever listens, both in the order given. A redelivery is told again, with the sequence it
 * has: the process may have ended between the two. What is told is what is stored, so that listeners and readers of the
 * table see the same.
 */
export function createChatBatchHandler({ store, broadcaster }: ChatBatchHandlerOptions): BatchHandler<'chat.messages'> {
  return async (messages, { signal, logger }) => {
    const outcomes = await store.storeBatch(messages.map(({ payload }) => payload))
    const failures = new Map<ChatReceived, Error>()
    const stored = new Map<ChatReceived, StoredChatMessage>()
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) failures.set(message, new Error('Expected an outcome of each message, found none'))
      else if ('failure' in outcome) failures.set(message, outcome.failure)
      else stored.set(message, outcome.stored)
    }
    // Sent without waiting for each other: the client keeps their order.
    const sent = await Promise.allSettled(
      [...stored.values()].map((message) => broadcaster.broadcastChatMessage(message, { signal })),
    )
    for (const [message, failure] of findUnheard([...stored.keys()], sent)) failures.set(message, failure)
    logger.debug({ stored: stored.size, failed: failures.size }, 'Chat messages stored and broadcast')
    return failures
  }
}

/** A message that could not be broadcast, and those of its conversation that come after it: they are told again in order. */
function findUnheard(messages: readonly ChatReceived[], sent: readonly PromiseSettledResult<void>[]) {
  const unheard = new Map<ChatReceived, Error>()
  const conversations = new Map<string, Error>()
  for (const [index, message] of messages.entries()) {
    const result = sent[index]
    const key = conversationKey(message.payload)
    if (result?.status === 'rejected') conversations.set(key, conversations.get(key) ?? toBroadcastError(result.reason))
    const failure = conversations.get(key)
    if (failure !== undefined) unheard.set(message, failure)
  }
  return unheard
}

/** It is stored, so nothing is wrong with it: as long as the broker takes no broadcast, the message waits rather than being dead-lettered. */
function toBroadcastError(cause: unknown): Error {
  const message = 'The message is stored, but could not be broadcast'
  const takesNone = [QueueUnavailableError, PublishTimeoutError, PublishForbiddenError]
  return takesNone.some((each) => cause instanceof each)
    ? new DeferError(message, { cause })
    : new RetryableError(message, { cause })
}
