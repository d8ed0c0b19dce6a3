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
    const handler = createChatMessageHandler({ store: createChatStore(pool), broadcaster: messageQueue })
    return { consumer: await messageQueue.consumeMessages('chat.messages', handler, { prefetch, onSettled }) }
  },
})
