import type { BatchHandler, ConsumeBatchesOptions, MessageQueue } from '@mono/message-queue'
import { createBroadcaster } from './broadcaster.js'
import { createChatStore } from './chat-store.js'
import type { Database } from './database.js'
import type { ChatEnv } from './env.js'
import { createChatBatchHandler } from './handle-chat-batch.js'
import { createTrialJournal, type TrialDatabase } from './trial-journal.js'

export interface ChatWorkContext {
  env: Pick<ChatEnv, 'consumerTimeoutMs'>
  pool: Database & TrialDatabase
  messageQueue: Pick<MessageQueue, 'broadcastChatMessage'>
}

/** How chat messages are consumed, by whoever does so. */
export interface ChatWork {
  handler: BatchHandler<'chat.messages'>
  options: Pick<ConsumeBatchesOptions, 'size' | 'consumerTimeoutMs' | 'journal'>
  /** How many broadcasts somebody's queue has refused. */
  countRefusedBroadcasts(): number
}

/** Messages of one transaction at most. A batch is what has arrived while the one before it was being stored. */
const size = 100

export function createChatWork({ env: { consumerTimeoutMs }, pool, messageQueue }: ChatWorkContext): ChatWork {
  const broadcaster = createBroadcaster(messageQueue)
  return {
    handler: createChatBatchHandler({ store: createChatStore(pool), broadcaster }),
    options: { size, consumerTimeoutMs, journal: createTrialJournal(pool) },
    countRefusedBroadcasts: () => broadcaster.refused,
  }
}
