import { runWorker } from '@mono/worker-runtime'
import { createChatStore } from './chat-store.js'
import { readChatEnv } from './env.js'
import { createChatBatchHandler } from './handle-chat-batch.js'
import { createTrialJournal } from './trial-journal.js'

/** Messages of one transaction at most. A batch is what has arrived while the one before it was being stored. */
const batchSize = 100

await runWorker({
  name: 'chat-worker',
  readEnv: () => readChatEnv(),
  schema: 'chat',
  probeTable: 'chat.trials',
  async start({ env: { consumerTimeoutMs }, pool, messageQueue, onSettled, signal }) {
    const handler = createChatBatchHandler({ store: createChatStore(pool), broadcaster: messageQueue })
    const consumer = await messageQueue.consumeBatches('chat.messages', handler, {
      size: batchSize,
      consumerTimeoutMs,
      journal: createTrialJournal(pool),
      onSettled,
    })
    // The worker is ready when it can broadcast, too. After the consumer, which says for both that the broker is away.
    await messageQueue.connect({ deadlineMs: Number.POSITIVE_INFINITY, signal })
    return { consumer }
  },
})
