import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeUpgrade(emailWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: "SELECT message_id AS id FROM email.deliveries WHERE state = 'sent'",
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('email.notifications', { select: ({ code }) => code === 'EXPIRED' })
  },
})
