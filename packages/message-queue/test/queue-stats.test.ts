import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

test('getQueueStats counts ready messages and consumers of the queues that exist', async ({ vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const consumer = await messageQueue.consumeMessages('audit.events', async () => {})
  const stats = { messageCount: 0, consumerCount: 1, deadLetterCount: 0, retryCount: 0 }
  expect(await messageQueue.getQueueStats()).toEqual({ 'audit.events': stats })
  await consumer.drain()
  await messageQueue.sendAuditEvent(examples['audit.event'])
  await waitFor(async () => (await messageQueue.getQueueStats())['audit.events']?.messageCount === 1, {
    what: 'the message to be counted',
  })
})

test('getQueueStats counts the dead letters, and the messages of all retry queues together', async ({
  vhost,
  cleanUp,
}) => {
  await vhost.importDefinitions()
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  for (let count = 0; count < 3; count += 1) await vhost.publish('dead-letter', 'email.notifications', 'a dead letter')
  for (const delay of ['60s', '15m', '15m']) await vhost.publish('email.notifications.retry', delay, 'a retry')
  const emails = () => messageQueue.getQueueStats().then((stats) => stats['email.notifications'])
  await waitFor(async () => (await emails())?.deadLetterCount === 3 && (await emails())?.retryCount === 3, {
    what: 'all to be counted',
  })
  const stats = await messageQueue.getQueueStats()
  expect(Object.keys(stats)).toEqual(['chat.messages', 'push.notifications', 'email.notifications', 'audit.events'])
  expect(JSON.stringify(stats['email.notifications'])).toBe(
    '{"messageCount":0,"consumerCount":0,"deadLetterCount":3,"retryCount":3}',
  )
  expect(stats['chat.messages']).toEqual({ messageCount: 0, consumerCount: 0, deadLetterCount: 0, retryCount: 0 })
})

test('getQueueStats counts nothing where a dead-letter queue and the retry queues do not exist', async ({
  vhost,
  cleanUp,
}) => {
  await vhost.withChannel((channel) => channel.assertQueue('chat.messages'))
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const stats = { messageCount: 0, consumerCount: 0, deadLetterCount: 0, retryCount: 0 }
  expect(await messageQueue.getQueueStats()).toEqual({ 'chat.messages': stats })
  expect(messageQueue.connected).toBe(true)
})
