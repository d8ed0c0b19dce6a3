import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade } from '@mono/test-support'
import { expect } from 'vitest'
import { declareOldTopology } from './old-topology.js'
import { chatWorker } from './worker-under-test.js'

describeUpgrade(chatWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: 'SELECT message_id AS id FROM chat.messages',
  declareQueues: declareOldTopology,
  async prepare({ workers, env }) {
    const migration = workers.spawn('chat-worker', env, { entry: 'migrate-queue' })
    expect(await migration.exited).toEqual({ code: 0, signal: null })
  },
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('chat.messages', { select: ({ code }) => code === 'EXPIRED' })
  },
})
