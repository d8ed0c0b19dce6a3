import { runCommand } from '@mono/worker-runtime'
import { createChatWork } from './create-chat-work.js'
import { readChatEnv } from './env.js'

/** Longer than a worker that was told to stop lives on, if its grace period is the one that is given here. */
const marginMs = 5_000

await runCommand({
  name: 'chat-worker',
  command: 'migrate-queue',
  readEnv: () => readChatEnv(),
  probeTable: 'chat.trials',
  async run({ env, logger, pool, messageQueue }) {
    const { handler, options } = createChatWork({ env, pool, messageQueue })
    const graceMs = env.shutdownGraceMs + marginMs
    await messageQueue.migrateQueue('chat.messages', handler, { ...options, graceMs })
    logger.info({}, 'The queue of chat messages is as the workers need it; they can be started')
  },
})
