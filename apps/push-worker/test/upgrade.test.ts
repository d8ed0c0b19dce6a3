import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeUpgrade(pushWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: "SELECT message_id AS id FROM push.deliveries WHERE state = 'sent'",
  // The devices of then are at an address where nobody is any more.
  prepare: ({ database }) =>
    database.query("UPDATE push.devices SET disabled_at = now() WHERE created_at < now() - interval '1 minute'"),
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('push.notifications', { select: ({ code }) => code === 'EXPIRED' })
  },
})
