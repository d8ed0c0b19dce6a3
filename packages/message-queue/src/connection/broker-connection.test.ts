import { waitFor } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createFakePublisher } from '../../test/support/fake-publisher.js'

const urls = ['amqp://one/mono', 'amqp://two/mono', 'amqp://three/mono']

test('tries every node before it pauses', async () => {
  const { publisher, broker, settle } = createFakePublisher({ urls })
  broker.answer = () => new Error('connect ECONNREFUSED')
  const connecting = publisher.connect().catch((error: unknown) => error)
  await settle()
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two', 'three'])
  await publisher.close()
  await connecting
})

test('goes on to the next node when one hangs', async () => {
  const { publisher, broker } = createFakePublisher({ urls }, { connectTimeoutMs: 20 })
  broker.answer = (url) => {
    if (url.includes('one')) return new Error('connect ECONNREFUSED')
    return url.includes('two') ? 'hang' : 'open'
  }
  await publisher.connect()
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two', 'three'])
  expect(publisher.lastError?.message).toBe('no answer to the AMQP handshake within 20 ms')
  await publisher.close()
})

test('after a loss it tries another node than the one that was lost', async () => {
  const { publisher, broker, connection } = createFakePublisher({ urls })
  await publisher.connect()
  connection().lose()
  await waitFor(() => publisher.connected, { what: 'the second connection' })
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two'])
  await publisher.close()
})

test('a loss is known at once, whether the broker or the network ends the connection', async () => {
  for (const error of [new Error('read ECONNRESET'), undefined]) {
    const { publisher, connection } = createFakePublisher()
    await publisher.connect()
    connection().lose(error)
    expect([publisher.state, publisher.connected]).toEqual(['connecting', false])
    expect(publisher.lastError).toBeInstanceOf(Error)
    await publisher.close()
  }
})

test('the socket of a lost connection is destroyed', async () => {
  const { publisher, connection, settle } = createFakePublisher()
  await publisher.connect()
  const lost = connection()
  lost.lose()
  await settle()
  expect(lost.socket.aborted).toBe(true)
  await publisher.close()
})

test('waiting for a connection ends by its deadline or signal, and the attempts go on', async () => {
  const { publisher, broker } = createFakePublisher()
  broker.answer = () => new Error('connect ECONNREFUSED')
  await expect(publisher.connect({ deadlineMs: 20 })).rejects.toMatchObject({
    reason: 'deadline',
    message: expect.stringContaining('connect ECONNREFUSED'),
  })
  await expect(publisher.connect({ signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout')
  broker.answer = () => 'open'
  await publisher.connect()
  await publisher.close()
})

test('an error without a message still says something', async () => {
  const { publisher, broker } = createFakePublisher()
  broker.answer = () => new AggregateError([new Error('connect ECONNREFUSED ::1:5672'), new Error('no route')])
  await expect(publisher.connect({ deadlineMs: 20 })).rejects.toThrow('connect ECONNREFUSED ::1:5672; no route')
  await publisher.close()
})

test('closing a connection whose peer is frozen takes no longer than the limit', async () => {
  const { publisher, connection } = createFakePublisher({}, { closeTimeoutMs: 20 })
  await publisher.connect()
  connection().frozen = true
  await publisher.close()
  expect(connection().socket.aborted).toBe(true)
})

test('an error after the end is no unhandled event', async () => {
  const { publisher, connection } = createFakePublisher()
  await publisher.connect()
  await publisher.close()
  expect(() => connection().emit('error', new Error('write EPIPE'))).not.toThrow()
})
