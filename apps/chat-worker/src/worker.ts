import { runWorker } from '@mono/worker-runtime'
import { createChatStore } from './chat-store.js'
import { readChatEnv } from './env.js'
import { createChatMessageHandler } from './handle-chat-message.js'

await runWorker({
  name: 'chat-worker',
  readEnv: () => readChatEnv(),
  schema: 'chat',
  probeTable: 'chat.messages',
  async start({ env: { prefetch }, pool, messageQueue, onSettled, signal }) {
    const handler = createChatMessageHandler({ store: createChatStore(pool), broadcaster: messageQueue })
    const consumer = await messageQueue.consumeMessages('chat.messages', handler, { prefetch, onSettled })
    // The worker is ready when it can broadcast, too. After the consumer, which says for both that the broker is away.
    await messageQueue.connect({ deadlineMs: Number.POSITIVE_INFINITY, signal })
    return { consumer }
  },
})
