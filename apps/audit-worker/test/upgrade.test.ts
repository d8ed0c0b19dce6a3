import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeUpgrade(auditWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: 'SELECT event_id AS id FROM audit.events',
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('audit.events', { select: ({ code }) => code === 'EXPIRED' })
  },
})
