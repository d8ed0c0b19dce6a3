import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'
import {
  countResults,
  createTestPublisher,
  declareQueue,
  publishAndReport,
  range,
} from './support/create-test-publisher.js'
import { createOutgoingMessage } from './support/pending-messages.js'

test('a message arrives with its body and properties', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const properties = {
    messageId: 'm1',
    type: 'chat.message',
    contentType: 'application/json',
    correlationId: 'c1',
    appId: 'app',
    timestamp: 1_700_000_000,
    headers: { 'x-tenant-id': 7 },
  }
  await publisher.publish(createOutgoingMessage('m1', { body: Buffer.from('{"a":"ü"}'), properties }))
  const message = await vhost.get('messages')
  expect(message).toMatchObject({
    exchange: 'messages',
    routingKey: 'chat.direct',
    properties: { ...properties, deliveryMode: 2 },
  })
  expect(message?.json()).toEqual({ a: 'ü' })
})

test('a mandatory message that no queue takes rejects, though the broker confirms it', async ({ vhost, cleanUp }) => {
  await vhost.withChannel((channel) => channel.assertExchange('messages', 'topic'))
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  await expect(publisher.publish(createOutgoingMessage('m1'))).rejects.toMatchObject({
    name: 'UnroutableMessageError',
    code: 'UNROUTABLE',
    exchange: 'messages',
    routingKey: 'chat.direct',
    messageId: 'm1',
    message: expect.stringContaining(`in vhost '${vhost.name}' with routing key 'chat.direct'`),
  })
  await waitFor(() => publisher.inFlight === 0, { what: 'the confirm' })
})

test('a work message that was sent while nobody has bound its queue rejects', async ({ vhost, cleanUp }) => {
  await vhost.withChannel(async (channel) => {
    for (const exchange of ['messages', 'notifications', 'audit']) await channel.assertExchange(exchange, 'topic')
  })
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const sending = {
    'chat.direct': messageQueue.sendChatMessage(examples['chat.message']),
    'push.all': messageQueue.sendPushNotification(examples['push.notification']),
    'email.template': messageQueue.sendEmailNotification(examples['email.notification']),
    'email.send': messageQueue.sendEmailMessage(examples['email.message']),
    'audit.track': messageQueue.sendAuditEvent(examples['audit.event']),
  }
  const outcomes = await Promise.allSettled(Object.values(sending))
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toMatchObject(
    Object.keys(sending).map((routingKey) => ({ name: 'UnroutableMessageError', routingKey })),
  )
})

test('of messages in flight together exactly the unroutable ones reject', async ({ vhost, cleanUp }) => {
  await vhost.withChannel(async (channel) => {
    await channel.assertExchange('messages', 'topic')
    await channel.assertQueue('direct')
    await channel.bindQueue('direct', 'messages', 'chat.direct')
  })
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const outcomes = await Promise.all(
    range(1, 300).map((messageId, index) => {
      const routingKey = index % 3 === 0 ? 'chat.group' : 'chat.direct'
      return publishAndReport(publisher, messageId, { routingKey, mandatory: index % 6 !== 3 })
    }),
  )
  const wrong = outcomes.filter(({ result }, index) => result !== (index % 6 === 0 ? 'UNROUTABLE' : 'resolved'))
  expect(wrong).toEqual([])
  expect(await vhost.countMessages('direct')).toBe(200)
})

test('what need not be routed resolves when nobody listens', async ({ vhost, cleanUp }) => {
  await vhost.withChannel((channel) => channel.assertExchange('realtime', 'topic'))
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  await publisher.publish(createOutgoingMessage('m1', { exchange: 'realtime', mandatory: false, persistent: false }))
})

test('a full queue refuses, and takes again when there is room', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages', {
    'x-queue-type': 'classic',
    'x-max-length': 2,
    'x-overflow': 'reject-publish',
  })
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const outcomes = await Promise.all(range(1, 5).map((messageId) => publishAndReport(publisher, messageId)))
  expect(outcomes.map(({ result }) => result)).toEqual([
    'resolved',
    'resolved',
    'QUEUE_FULL',
    'QUEUE_FULL',
    'QUEUE_FULL',
  ])
  expect(outcomes[2]?.error).toMatchObject({
    name: 'QueueFullError',
    messageId: '3',
    message: expect.stringContaining("exchange 'messages' with routing key 'chat.direct'"),
  })
  await vhost.get('messages')
  await publisher.publish(createOutgoingMessage('6'))
})

test('a missing exchange is named before anything is sent, and looked for again', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'audit')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const [missing, other] = await Promise.all([
    Promise.all(range(1, 50).map((messageId) => publishAndReport(publisher, messageId))),
    Promise.all(range(1, 50).map((messageId) => publishAndReport(publisher, messageId, { exchange: 'audit' }))),
  ])
  expect(countResults(missing)).toEqual({ UNROUTABLE: 50 })
  expect(missing[0]?.error?.message).toContain(`exchange 'messages' does not exist in vhost '${vhost.name}'`)
  expect(countResults(other)).toEqual({ resolved: 50 })
  await declareQueue(vhost, 'messages')
  await publisher.publish(createOutgoingMessage('51'))
  expect(await vhost.countMessages('messages')).toBe(1)
})

test('an exchange that is deleted under messages leaves the other exchanges alone', async ({ vhost, cleanUp }) => {
  await Promise.all([declareQueue(vhost, 'messages'), declareQueue(vhost, 'audit')])
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  await publisher.publish(createOutgoingMessage('1'))
  await publisher.publish(createOutgoingMessage('1', { exchange: 'audit' }))
  await vhost.withChannel((channel) => channel.deleteExchange('messages'))
  const [lost, other] = await Promise.all([
    Promise.all(range(2, 100).map((messageId) => publishAndReport(publisher, messageId))),
    Promise.all(range(2, 100).map((messageId) => publishAndReport(publisher, messageId, { exchange: 'audit' }))),
  ])
  expect(countResults(lost)).toEqual({ PUBLISH_TIMEOUT: 99 })
  expect(lost[0]?.error?.message).toMatch(/exchange 'messages'.*no exchange 'messages'.*may have arrived/)
  expect(countResults(other)).toEqual({ resolved: 99 })
  expect(await publishAndReport(publisher, '101')).toMatchObject({ result: 'UNROUTABLE' })
  expect(publisher.connected).toBe(true)
})

test('headers and strings that AMQP cannot carry fail that one message', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const type = 'chat.message'
  const outcomes = await Promise.all([
    publishAndReport(publisher, '1'),
    publishAndReport(publisher, '2', { properties: { messageId: '2', type, headers: { big: 'x'.repeat(70_000) } } }),
    publishAndReport(publisher, '3', { properties: { messageId: '3', type, correlationId: 'x'.repeat(256) } }),
    publishAndReport(publisher, '4', { routingKey: 'x'.repeat(256) }),
    publishAndReport(publisher, '5'),
  ])
  const invalid = 'INVALID_MESSAGE'
  expect(outcomes.map(({ result }) => result)).toEqual(['resolved', invalid, invalid, invalid, 'resolved'])
  expect(outcomes[2]?.error?.message).toContain("'correlationId'")
  expect(await vhost.countMessages('messages')).toBe(2)
})

test('large bodies arrive whole, many at once', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages', { 'x-queue-type': 'classic' })
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const body = Buffer.alloc(1024 * 1024, 'x')
  const outcomes = await Promise.all(range(1, 40).map((messageId) => publishAndReport(publisher, messageId, { body })))
  expect(countResults(outcomes)).toEqual({ resolved: 40 })
  expect((await vhost.get('messages'))?.body.equals(body)).toBe(true)
  expect(await vhost.countMessages('messages')).toBe(39)
})

test('a channel is lent for the broker to be asked, and misuse of it disturbs nothing', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  await publisher.publish(createOutgoingMessage('1'))
  const stats = await publisher.withChannel((channel) => channel.checkQueue('messages'))
  expect(stats).toMatchObject({ messageCount: 1, consumerCount: 0 })
  await expect(publisher.withChannel((channel) => channel.checkQueue('none'))).rejects.toMatchObject({ code: 404 })
  await publisher.publish(createOutgoingMessage('2'))
})
