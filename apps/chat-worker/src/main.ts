import { runWorker } from '@mono/worker-runtime'
import { createChatStore } from './chat-store.js'
import { readChatEnv } from './env.js'
import { createChatMessageHandler } from './handle-chat-message.js'

await runWorker({
  name: 'chat-worker',
  readEnv: () => readChatEnv(),
  schema: 'chat',
  probeTable: 'chat.messages',
  async start({ env: { prefetch }, pool, messageQueue, onSettled }) {
    // At the first broadcast it would connect under way, and the worker would not be ready meanwhile.
    messageQueue.connect().catch(() => {}) // it goes on trying
    const handler = createChatMessageHandler({ store: createChatStore(pool), broadcaster: messageQueue })
    return { consumer: await messageQueue.consumeMessages('chat.messages', handler, { prefetch, onSettled }) }
  },
})
