import type { ChatMessage, StoredChatMessage } from '@mono/contracts'
import type { ChatStore } from '../src/chat-store.js'

/** Stores a message by itself. @throws its failure */
export async function storeOne(
  store: ChatStore,
  message: ChatMessage,
): Promise<{ stored: StoredChatMessage; isNew: boolean }> {
  const [outcome] = await store.storeBatch([message])
  if (outcome === undefined) throw new Error('Expected an outcome, found none')
  if ('failure' in outcome) throw outcome.failure
  return outcome
}
