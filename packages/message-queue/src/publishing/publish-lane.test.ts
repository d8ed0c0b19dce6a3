import { waitFor } from '@mono/test-support'
import { IllegalOperationError } from 'amqplib'
import { expect, test } from 'vitest'
import { createFakePublisher } from '../../test/support/fake-publisher.js'

test('resolves when the broker confirms, and not before', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = publish('a')
  await settle()
  expect(channel().bodies).toEqual(['a'])
  expect(sent.outcome).toBe('pending')
  channel().ack(1)
  await settle()
  expect(sent.outcome).toBe('resolved')
})

test('hands the properties to the broker as they are', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const properties = {
    messageId: 'a',
    type: 'chat.message',
    contentType: 'application/json',
    correlationId: 'c',
    appId: 'app',
    timestamp: 1_700_000_000,
    headers: { 'x-tenant-id': 7 },
  }
  publish('a', { properties, mandatory: false, persistent: false })
  await settle()
  expect(channel().published).toEqual([
    {
      exchange: 'messages',
      routingKey: 'chat.direct',
      body: 'a',
      options: { ...properties, mandatory: false, persistent: false },
    },
  ])
})

test('a message that is returned rejects, though the broker confirms it too', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const [routed, unroutable] = [publish('a'), publish('b')]
  await settle()
  channel().returnMessage(2)
  channel().ackAll()
  await settle()
  expect(routed.outcome).toBe('resolved')
  expect(unroutable.outcome).toMatchObject({
    code: 'UNROUTABLE',
    exchange: 'messages',
    routingKey: 'chat.direct',
    messageId: 'b',
    message: expect.stringContaining("vhost 'mono'"),
  })
})

test('a message that the broker refuses rejects, its neighbours do not', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = [publish('a'), publish('b'), publish('c')]
  await settle()
  channel().nack(2)
  channel().ackAll()
  await settle()
  expect(sent.map(({ outcome }) => outcome)).toEqual([
    'resolved',
    expect.objectContaining({ code: 'QUEUE_FULL', messageId: 'b' }),
    'resolved',
  ])
})

test('no more than the window is in flight', async () => {
  const { publish, publisher, channel, settle } = createFakePublisher({ maxInFlight: 2 })
  for (const id of ['a', 'b', 'c', 'd']) publish(id)
  await settle()
  expect(channel().bodies).toEqual(['a', 'b'])
  expect([publisher.inFlight, publisher.buffered]).toEqual([2, 2])
  channel().ack(2)
  expect(channel().bodies).toEqual(['a', 'b', 'c'])
})

test('the bytes in flight have a limit too, but one message always goes', async () => {
  const { publish, channel, settle } = createFakePublisher({ maxBufferedBytes: 100 })
  publish('a', { body: Buffer.alloc(100) })
  await settle()
  publish('b', { body: Buffer.alloc(50) })
  publish('c', { body: Buffer.alloc(50) })
  expect(channel().published).toHaveLength(1)
  channel().ack(1)
  expect(channel().published).toHaveLength(3)
})

test('a message that timed out in flight keeps its place in the window until the broker answers', async () => {
  const { publish, publisher, channel, settle } = createFakePublisher({ maxInFlight: 1 })
  const late = publish('a', { deadlineMs: 10 })
  const next = publish('b')
  await expect(late.settled).rejects.toMatchObject({ code: 'PUBLISH_TIMEOUT', messageId: 'a' })
  expect([channel().bodies, publisher.inFlight]).toEqual([['a'], 1])
  channel().ack(1)
  await settle()
  expect(channel().bodies).toEqual(['a', 'b'])
  channel().ack(2)
  await next.settled
})

test('when the window stays full, what waits behind it fails by its deadline and says so', async () => {
  const { publish } = createFakePublisher({ maxInFlight: 1 })
  publish('a')
  await expect(publish('b', { deadlineMs: 10 }).settled).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    reason: 'deadline',
    message: expect.stringContaining('1 messages sent before it are not confirmed'),
  })
})

test("when amqplib's buffer is full, it waits for the drain", async () => {
  const { publish, channel, settle } = createFakePublisher()
  publish('a')
  await settle()
  channel().writable = false
  publish('b')
  publish('c')
  expect(channel().bodies).toEqual(['a', 'b'])
  channel().emit('drain')
  expect(channel().bodies).toEqual(['a', 'b', 'c'])
})

test('what was in flight when the connection went is sent again first, in order', async () => {
  const { publish, publisher, broker, connection, channel, settle } = createFakePublisher({ maxInFlight: 3 })
  const sent = ['a', 'b', 'c', 'd', 'e'].map((id) => publish(id))
  await settle()
  channel().ack(2)
  connection().lose()
  publish('f')
  expect([publisher.state, publisher.inFlight, publisher.buffered]).toEqual(['connecting', 0, 5])
  await waitFor(() => broker.connections.length === 2, { what: 'the second connection' })
  await settle()
  channel().ackAll()
  await settle()
  channel().ackAll()
  await Promise.all(sent.map(({ settled }) => settled))
  expect(channel().bodies).toEqual(['a', 'c', 'd', 'e', 'f'])
})

test('what already failed is not sent again', async () => {
  const { publish, broker, connection, channel, settle } = createFakePublisher()
  const [returned, late] = [publish('a'), publish('b', { deadlineMs: 10 })]
  publish('c')
  await settle()
  channel().returnMessage(1)
  await expect(returned.settled).rejects.toMatchObject({ code: 'UNROUTABLE' })
  await expect(late.settled).rejects.toMatchObject({ code: 'PUBLISH_TIMEOUT' })
  connection().lose()
  await waitFor(() => broker.connections.length === 2, { what: 'the second connection' })
  await settle()
  expect(channel().bodies).toEqual(['c'])
})

test('a message that was in flight and waits to be sent again has an unknown outcome at its deadline', async () => {
  const { publish, broker, connection, settle } = createFakePublisher()
  const sent = publish('a', { deadlineMs: 50 })
  await settle()
  broker.answer = () => new Error('connect ECONNREFUSED 127.0.0.1:5672')
  connection().lose()
  await expect(sent.settled).rejects.toMatchObject({ code: 'PUBLISH_TIMEOUT', messageId: 'a' })
})

test('messages for a missing exchange fail at once, and name it, the vhost and what to do', async () => {
  const { publish, broker, channel, settle } = createFakePublisher()
  broker.missingExchanges.add('messages')
  const sent = publish('a')
  await expect(sent.settled).rejects.toMatchObject({
    code: 'UNROUTABLE',
    exchange: 'messages',
    routingKey: 'chat.direct',
    messageId: 'a',
    message: expect.stringMatching(/exchange 'messages' does not exist in vhost 'mono'\. Start .* publish again/),
  })
  expect(channel().bodies).toEqual([])
  broker.missingExchanges.clear()
  const again = publish('a')
  await settle()
  channel().ack(1)
  await again.settled
})

test('when the broker closes the channel, what was on it is unknown, what waited goes on a new one', async () => {
  const { publish, connection, channel, settle } = createFakePublisher({ maxInFlight: 2 })
  const sent = ['a', 'b', 'c'].map((id) => publish(id))
  const other = publish('o', { exchange: 'audit' })
  await settle()
  const [messages, audit] = connection().channels
  messages?.fail(new Error('NOT_FOUND - no exchange'))
  await settle()
  expect(sent.map(({ outcome }) => outcome)).toEqual([
    expect.objectContaining({ code: 'PUBLISH_TIMEOUT', message: expect.stringContaining("'messages'") }),
    expect.objectContaining({ code: 'PUBLISH_TIMEOUT', messageId: 'b' }),
    'pending',
  ])
  expect([channel().bodies, channel().checks, audit?.bodies]).toEqual([['c'], 1, ['o']])
  audit?.ack(1)
  await other.settled
})

test('of what was sent before to an exchange that is gone now, nobody says that it was not published', async () => {
  const { publish, broker, connection, settle } = createFakePublisher()
  const sent = publish('a')
  await settle()
  broker.missingExchanges.add('messages')
  connection().lose()
  const fresh = publish('b')
  await expect(sent.settled).rejects.toMatchObject({ code: 'PUBLISH_TIMEOUT', messageId: 'a' })
  await expect(fresh.settled).rejects.toMatchObject({ code: 'UNROUTABLE', messageId: 'b' })
})

test('a message that amqplib cannot write fails alone', async () => {
  const { publish, channel, settle } = createFakePublisher()
  publish('a')
  await settle()
  channel().throwNext = new RangeError('The headers table is too large')
  const [faulty, next] = [publish('b'), publish('c')]
  channel().ackAll()
  await next.settled
  expect(channel().bodies).toEqual(['a', 'c'])
  expect(faulty.outcome).toMatchObject({
    code: 'INVALID_MESSAGE',
    message: expect.stringContaining('The headers table is too large'),
  })
})

test('a message that meets a channel on its way out is sent on the next one, in its place', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const first = publish('a')
  await settle()
  channel().ack(1)
  await first.settled
  channel().throwNext = new IllegalOperationError('Channel closing')
  publish('b')
  publish('c')
  expect(channel().bodies).toEqual(['a'])
  channel().fail(new Error('closed by the broker'))
  await settle()
  expect(channel().bodies).toEqual(['b', 'c'])
})
