import { getEventListeners } from 'node:events'
import { waitFor } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createFakePublisher } from '../../test/support/fake-publisher.js'
import { createOutgoingMessage } from '../../test/support/pending-messages.js'

test('connects on first use, not before', async () => {
  const { publisher, broker, publish, settle } = createFakePublisher()
  expect([publisher.state, publisher.connected, broker.tried]).toEqual(['idle', false, []])
  publish('a')
  await settle()
  expect([publisher.state, publisher.connected, broker.tried.length]).toEqual(['open', true, 1])
})

test('all that goes to an exchange goes over one channel, in the order of sending', async () => {
  const { publish, connection, channel, settle } = createFakePublisher()
  const bodies = Array.from({ length: 50 }, (_, index) => `message ${index}`)
  for (const body of bodies) publish(body)
  await settle()
  expect(connection().channels).toHaveLength(1)
  expect(channel().bodies).toEqual(bodies)
})

test('nothing is sent while the broker has blocked the connection', async () => {
  const { publisher, publish, connection, channel, settle } = createFakePublisher()
  publish('a')
  await settle()
  connection().emit('blocked', 'low on memory')
  publish('b')
  publish('c', { exchange: 'audit' })
  await settle()
  expect([publisher.blocked, publisher.connected, publisher.state]).toEqual([true, false, 'open'])
  expect([channel().bodies, connection().channels.length, publisher.buffered]).toEqual([['a'], 1, 2])
  connection().emit('unblocked')
  await settle()
  expect(connection().channels.map(({ bodies }) => bodies)).toEqual([['a', 'b'], ['c']])
  expect([publisher.blocked, publisher.connected]).toEqual([false, true])
})

test('blocked until the deadline, what waited says why and what was sent is unknown', async () => {
  const { publish, connection, settle } = createFakePublisher()
  const sent = publish('a', { deadlineMs: 50 })
  await settle()
  connection().emit('blocked', 'low on memory')
  await expect(publish('b', { deadlineMs: 20 }).settled).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    reason: 'deadline',
    message: expect.stringContaining('the broker has blocked the connection (low on memory)'),
  })
  await expect(sent.settled).rejects.toMatchObject({ code: 'PUBLISH_TIMEOUT' })
})

test('a new connection is not blocked because the old one was', async () => {
  const { publisher, broker, connection } = createFakePublisher()
  await publisher.connect()
  connection().emit('blocked', 'low on memory')
  connection().lose()
  await waitFor(() => broker.connections.length === 2 && publisher.connected, { what: 'the second connection' })
})

test('what waits for an absent broker fails by its deadline with the reason', async () => {
  const { publish, broker, publisher } = createFakePublisher()
  broker.answer = () => new Error('connect ECONNREFUSED 10.0.0.1:5672')
  await expect(publish('a', { deadlineMs: 20 }).settled).rejects.toMatchObject({
    name: 'QueueUnavailableError',
    reason: 'deadline',
    messageId: 'a',
    message: expect.stringMatching(/within 20 ms.*broker:5672\/mono.*connect ECONNREFUSED 10\.0\.0\.1:5672/),
    cause: { message: 'connect ECONNREFUSED 10.0.0.1:5672' },
  })
  expect([publisher.buffered, publisher.lastError?.message]).toEqual([0, 'connect ECONNREFUSED 10.0.0.1:5672'])
  await publisher.close()
})

test('more messages than the buffer holds are refused at once', async () => {
  const { publish, broker, publisher } = createFakePublisher({ maxBufferedMessages: 2 })
  broker.answer = () => 'hang'
  publish('a')
  const second = publish('b', { exchange: 'audit', deadlineMs: 20 })
  await expect(publish('c').settled).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    reason: 'buffer-full',
    messageId: 'c',
  })
  await expect(second.settled).rejects.toMatchObject({ reason: 'deadline' })
  publish('d')
  expect(publisher.buffered).toBe(2)
  await publisher.close()
})

test('more bytes than the buffer holds are refused at once', async () => {
  const { publish, broker, publisher } = createFakePublisher({ maxBufferedBytes: 100 })
  broker.answer = () => 'hang'
  publish('a', { body: Buffer.alloc(60) })
  await expect(publish('b', { body: Buffer.alloc(41) }).settled).rejects.toMatchObject({ reason: 'buffer-full' })
  publish('c', { body: Buffer.alloc(40) })
  expect(publisher.buffered).toBe(2)
  await publisher.close()
})

test('a full buffer of one exchange does not stop another that waits for nothing', async () => {
  const { publish, publisher, settle } = createFakePublisher({ maxInFlight: 1, maxBufferedMessages: 1 })
  publish('first', { exchange: 'audit' })
  await settle()
  const acked = publish('a')
  await settle()
  publish('b')
  await expect(publish('c').settled).rejects.toMatchObject({ reason: 'buffer-full' })
  expect([publisher.inFlight, publisher.buffered, acked.outcome]).toEqual([2, 1, 'pending'])
})

test('an aborted signal takes a waiting message back', async () => {
  const { publish, broker, publisher, channel, settle } = createFakePublisher({ maxInFlight: 1 })
  const abort = new AbortController()
  publish('a')
  const [given, kept] = [publish('b', { signal: abort.signal }), publish('c')]
  await settle()
  abort.abort(new Error('gave up'))
  await expect(given.settled).rejects.toThrow('gave up')
  channel().ack(1)
  await settle()
  expect([channel().bodies, kept.outcome, publisher.buffered, broker.tried.length]).toEqual([
    ['a', 'c'],
    'pending',
    0,
    1,
  ])
})

test('an aborted signal gives up waiting for what is in flight', async () => {
  const { publish, publisher, channel, settle } = createFakePublisher()
  const abort = new AbortController()
  const sent = publish('a', { signal: abort.signal })
  await settle()
  abort.abort(new Error('gave up'))
  await expect(sent.settled).rejects.toThrow('gave up')
  expect([channel().bodies, publisher.inFlight]).toEqual([['a'], 1])
})

test('a signal that was aborted before sends nothing', async () => {
  const { publish, publisher } = createFakePublisher()
  await expect(publish('a', { signal: AbortSignal.abort(new Error('gave up')) }).settled).rejects.toThrow('gave up')
  expect(publisher.state).toBe('idle')
})

test('many messages share one listener on a signal, which goes with the last of them', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const { signal } = new AbortController()
  const sent = Array.from({ length: 20 }, (_, index) => publish(`${index}`, { signal }))
  await settle()
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  channel().ackAll()
  await Promise.all(sent.map(({ settled }) => settled))
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test.each([0, -1, Number.NaN])('a deadline of %d ms is refused, as it would never come', async (deadlineMs) => {
  const { publisher } = createFakePublisher()
  await expect(publisher.publish(createOutgoingMessage('a', { deadlineMs }))).rejects.toThrow(RangeError)
})

test('a drain takes no more, waits for what it holds, and closes', async () => {
  const { publisher, publish, connection, channel, settle } = createFakePublisher({ maxInFlight: 1 })
  const sent = [publish('a'), publish('b')]
  await settle()
  const drained = publisher.drain()
  await expect(publish('c').settled).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', reason: 'closed' })
  await expect(publisher.connect()).rejects.toMatchObject({ reason: 'closed' })
  channel().ack(1)
  await settle()
  expect(publisher.state).toBe('open')
  channel().ack(2)
  await drained
  expect(sent.map(({ outcome }) => outcome)).toEqual(['resolved', 'resolved'])
  expect([publisher.state, connection().socket.aborted]).toEqual(['closed', true])
})

test('a drain while the broker is away ends when the deadlines have come', async () => {
  const { publisher, publish, broker } = createFakePublisher()
  broker.answer = () => new Error('connect ECONNREFUSED 10.0.0.1:5672')
  const sent = publish('a', { deadlineMs: 30 })
  await Promise.all([publisher.drain(), expect(sent.settled).rejects.toMatchObject({ reason: 'deadline' })])
  expect(publisher.state).toBe('closed')
})

test('a close settles everything at once: what was sent is unknown, what waited was not published', async () => {
  const { publisher, publish, settle } = createFakePublisher({ maxInFlight: 1 })
  const sent = [publish('a'), publish('b'), publish('c', { exchange: 'audit' })]
  await settle()
  await publisher.close()
  expect(sent.map(({ outcome }) => outcome)).toEqual([
    expect.objectContaining({ code: 'PUBLISH_TIMEOUT', messageId: 'a' }),
    expect.objectContaining({ code: 'QUEUE_UNAVAILABLE', reason: 'closed', messageId: 'b' }),
    expect.objectContaining({ code: 'PUBLISH_TIMEOUT', messageId: 'c' }),
  ])
  expect([publisher.inFlight, publisher.buffered, publisher.state]).toEqual([0, 0, 'closed'])
})

test('a close cuts a drain short', async () => {
  const { publisher, publish, settle } = createFakePublisher()
  const sent = publish('a')
  await settle()
  const drained = publisher.drain()
  await publisher.close()
  await drained
  expect(sent.outcome).toMatchObject({ code: 'PUBLISH_TIMEOUT' })
})

test('close and drain may be called in any state, any number of times', async () => {
  for (const answer of ['open', 'hang', new Error('refused')] as const) {
    const { publisher, broker } = createFakePublisher()
    broker.answer = () => answer
    const connecting = publisher.connect().catch((error: unknown) => error)
    await Promise.all([publisher.close(), publisher.drain(), publisher.close()])
    expect(await connecting).toMatchObject({ code: 'QUEUE_UNAVAILABLE', reason: 'closed' })
    expect(publisher.state).toBe('closed')
  }
  const { publisher, broker } = createFakePublisher()
  await Promise.all([publisher.drain(), publisher.close()])
  expect([publisher.state, broker.tried]).toEqual(['closed', []])
})

test('a close while blocked ends', async () => {
  const { publisher, publish, connection, settle } = createFakePublisher()
  await publisher.connect()
  connection().emit('blocked', 'low on memory')
  const sent = publish('a')
  await publisher.close()
  await settle()
  expect(sent.outcome).toMatchObject({ reason: 'closed' })
})

test('a borrowed channel is given back, also when it is misused', async () => {
  const { publisher, channel } = createFakePublisher()
  await expect(publisher.withChannel(async () => 7)).resolves.toBe(7)
  const fault = new Error('NOT_FOUND - no queue')
  const misuse = publisher.withChannel(async (borrowed) => {
    borrowed.emit('error', fault)
    throw fault
  })
  await expect(misuse).rejects.toBe(fault)
  let closed = false
  channel().once('close', () => {
    closed = true
  })
  await publisher.close()
  expect(closed).toBe(false)
})

test('a borrowed channel that gets no answer is given up by the deadline', async () => {
  const { publisher } = createFakePublisher({ deadlineMs: 20 })
  const hanging = publisher.withChannel(() => new Promise<never>(() => undefined))
  await expect(hanging).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', reason: 'deadline' })
  await publisher.close()
})
