import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

test('getQueueStats counts ready messages and consumers of the queues that exist', async ({ vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const consumer = await messageQueue.consumeMessages('audit.events', async () => {})
  expect(await messageQueue.getQueueStats()).toEqual({ 'audit.events': { messageCount: 0, consumerCount: 1 } })
  await consumer.drain()
  await messageQueue.sendAuditEvent(examples['audit.event'])
  await waitFor(async () => (await messageQueue.getQueueStats())['audit.events']?.messageCount === 1, {
    what: 'the message to be counted',
  })
})
