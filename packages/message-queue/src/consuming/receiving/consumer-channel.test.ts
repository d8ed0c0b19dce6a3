import type { ChannelModel } from 'amqplib'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { FakeConsumerChannel } from '../../../test/support/fake-consumer-channel.js'
import { ConsumerChannel } from './consumer-channel.js'

const batchWrites = vi.fn()
const onDelivery = vi.fn()
const onRegistered = vi.fn()
const onCancelled = vi.fn()
const onClosed = vi.fn()
let channel: FakeConsumerChannel

beforeEach(() => {
  vi.clearAllMocks()
  channel = new FakeConsumerChannel()
})

async function open(prefetch: number, createChannel: () => Promise<unknown> = async () => channel) {
  return await ConsumerChannel.open({
    model: { createChannel } as unknown as ChannelModel,
    queue: 'q',
    consumerName: 'chat-worker@host',
    prefetch,
    batchWrites,
    onDelivery,
    onRegistered,
    onCancelled,
    onClosed,
  })
}

/** Opened, and registered as wanted. */
async function register(prefetch: number): Promise<ConsumerChannel> {
  const consumer = await open(prefetch)
  await channel.answer()
  channel.written.length = 0
  return consumer
}

/** The deliveries that the broker sends, by their tags. */
function deliver(...tags: number[]) {
  const messages = tags.map((deliveryTag) => createConsumeMessage({ deliveryTag }))
  for (const message of messages) channel.deliver(message)
  return messages
}

/** What is acknowledged in this turn of the event loop is written. */
const turnOver = () => new Promise((resolve) => setImmediate(resolve))

describe('a consumer channel', () => {
  test('sets the prefetch before it registers, and tells of it when the broker has answered', async () => {
    await open(1)
    expect(channel.written).toEqual(['qos 1', 'consume q'])
    expect(onRegistered).not.toHaveBeenCalled()
    await channel.answer()
    expect(onRegistered).toHaveBeenCalledOnce()
  })

  test('rejects if the channel cannot be opened', async () => {
    const refused = new Error('no more channels')
    await expect(open(1, () => Promise.reject(refused))).rejects.toBe(refused)
  })

  test('that is to take nothing does not register until it is', async () => {
    const consumer = await open(0)
    expect(channel.written).toEqual([])
    consumer.setPrefetch(1)
    expect(channel.written).toEqual(['qos 1', 'consume q'])
    await channel.answer()
    expect(onRegistered).toHaveBeenCalledOnce()
  })

  test('cancels at once when its prefetch changes, and registers again after the answer', async () => {
    const consumer = await register(1)
    consumer.setPrefetch(100)
    expect(channel.written).toEqual(['cancel 1'])
    await channel.answer()
    expect(channel.written).toEqual(['cancel 1', 'qos 100', 'consume q'])
    await channel.answer()
    expect(onRegistered).toHaveBeenCalledTimes(2)
    consumer.setPrefetch(100)
    expect(channel.written).toHaveLength(3)
  })

  test('does not register after it is cancelled to take nothing', async () => {
    const consumer = await register(1)
    consumer.setPrefetch(0)
    await channel.answer()
    expect(channel.written).toEqual(['cancel 1'])
  })

  test('follows only the last of several wishes', async () => {
    const consumer = await open(1)
    for (const prefetch of [100, 0, 7]) consumer.setPrefetch(prefetch)
    await channel.answer()
    expect(channel.written.slice(2)).toEqual(['cancel 1'])
    await channel.answer()
    expect(channel.written.slice(3)).toEqual(['qos 7', 'consume q'])
  })

  test('gives each registration a tag of its own that names the replica', async () => {
    const consumer = await register(1)
    consumer.setPrefetch(2)
    await channel.answer()
    expect(channel.tags).toEqual([
      expect.stringMatching(/^chat-worker@host\.\d+$/),
      expect.stringMatching(/^chat-worker@host\.\d+$/),
    ])
    expect(new Set(channel.tags).size).toBe(2)
  })

  test('says of a delivery whether the registration that it came by admits one at a time', async () => {
    const consumer = await register(1)
    consumer.setPrefetch(2)
    await channel.answer()
    await channel.answer()
    const [early, late] = [createConsumeMessage({ deliveryTag: 1 }), createConsumeMessage({ deliveryTag: 2 })]
    channel.deliver(early, 1)
    channel.deliver(late, 2)
    expect(onDelivery.mock.calls).toEqual([
      [early, { channel: consumer, alone: true }],
      [late, { channel: consumer, alone: false }],
    ])
  })

  test('takes deliveries that come before the answer is handled', async () => {
    await open(1)
    deliver(1)
    expect(onDelivery).toHaveBeenCalledOnce()
    await channel.answer()
    expect(onRegistered).toHaveBeenCalledOnce()
  })

  test('that is renewed is cancelled and registered again as it was', async () => {
    const consumer = await register(3)
    consumer.renew()
    await channel.answer()
    expect(channel.written).toEqual(['cancel 1', 'qos 3', 'consume q'])
  })

  test('that waits for an answer, or is not registered, is not renewed', async () => {
    const consumer = await open(3)
    consumer.renew()
    await channel.answer()
    consumer.setPrefetch(0)
    await channel.answer()
    consumer.renew()
    expect(channel.written).toEqual(['qos 3', 'consume q', 'cancel 1'])
  })
})

describe('a consumer channel that the broker cancels', () => {
  test('says so and waits until it is readmitted', async () => {
    const consumer = await register(3)
    channel.deliver(null)
    expect(onCancelled).toHaveBeenCalledExactlyOnceWith(consumer)
    consumer.setPrefetch(5)
    expect(channel.written).toEqual([])
    consumer.readmit()
    expect(channel.written).toEqual(['qos 5', 'consume q'])
    await channel.answer()
    expect(onRegistered).toHaveBeenCalledTimes(2)
  })

  test('before the answer was handled is not told as registered', async () => {
    const consumer = await open(3)
    channel.deliver(null)
    expect(onCancelled).toHaveBeenCalledOnce()
    await channel.answer()
    expect(onRegistered).not.toHaveBeenCalled()
    expect(channel.written).toEqual(['qos 3', 'consume q'])
    consumer.readmit()
    expect(channel.written.slice(2)).toEqual(['qos 3', 'consume q'])
  })

  test('is registered again after the answer if it was readmitted before', async () => {
    const consumer = await open(3)
    channel.deliver(null)
    consumer.readmit()
    expect(channel.written).toEqual(['qos 3', 'consume q'])
    await channel.answer()
    expect(channel.written.slice(2)).toEqual(['qos 3', 'consume q'])
  })

  test('does not mind the end of a registration that has been replaced', async () => {
    const consumer = await register(3)
    consumer.renew()
    await channel.answer()
    await channel.answer()
    channel.deliver(null, 1)
    expect(onCancelled).not.toHaveBeenCalled()
    expect(consumer.isSettled).toBe(true)
  })

  test('settles what is in flight', async () => {
    const consumer = await register(3)
    const [first, second] = deliver(1, 2)
    channel.deliver(null)
    if (first) consumer.ack(first)
    if (second) consumer.reject(second, { requeue: true })
    await turnOver()
    expect(channel.written).toEqual(['return 2', 'ack up to 1'])
  })
})

describe('a consumer channel that ends', () => {
  test('resolves when the broker sends no more, and takes no wish after that', async () => {
    const consumer = await register(1)
    const ended = vi.fn()
    void consumer.end().then(ended)
    consumer.setPrefetch(100)
    await turnOver()
    expect(ended).not.toHaveBeenCalled()
    await channel.answer()
    expect(ended).toHaveBeenCalledOnce()
    consumer.readmit()
    channel.end()
    expect(channel.written).toEqual(['cancel 1'])
  })

  test('waits for the answer to its registration, and cancels that', async () => {
    const consumer = await open(1)
    const ended = vi.fn()
    void consumer.end().then(ended)
    await channel.answer()
    expect(ended).not.toHaveBeenCalled()
    expect(channel.written.slice(2)).toEqual(['cancel 1'])
    await channel.answer()
    expect(ended).toHaveBeenCalledOnce()
  })

  test('resolves at once if it is not registered', async () => {
    await (await open(0)).end()
    const consumer = await register(1)
    channel.deliver(null)
    await consumer.end()
  })

  test('resolves when its channel closes first', async () => {
    const consumer = await register(1)
    const ended = consumer.end()
    channel.end()
    await ended
  })

  test('resolves if its channel is closed already', async () => {
    const consumer = await register(1)
    channel.end()
    const ended = vi.fn()
    void consumer.end().then(ended)
    await turnOver()
    expect(ended).toHaveBeenCalledOnce()
  })
})

describe('on a consumer channel', () => {
  test('the acks of one turn are one', async () => {
    const consumer = await register(3)
    for (const message of deliver(1, 2, 3)) consumer.ack(message)
    expect(channel.written).toEqual([])
    expect(batchWrites).not.toHaveBeenCalled()
    await turnOver()
    expect(channel.written).toEqual(['ack up to 3'])
    expect(batchWrites).toHaveBeenCalledOnce()
  })

  test('the acks pass over what was returned or rejected', async () => {
    const consumer = await register(4)
    const [first, second, third] = deliver(1, 2, 3)
    if (first) consumer.reject(first, { requeue: true })
    if (second) consumer.reject(second, { requeue: false })
    expect(channel.written).toEqual(['return 1', 'reject 2'])
    if (third) consumer.ack(third)
    await turnOver()
    expect(channel.written.slice(2)).toEqual(['ack up to 3'])
  })

  test('what is acknowledged is written before it is closed', async () => {
    const consumer = await register(1)
    for (const message of deliver(1)) consumer.ack(message)
    await consumer.close()
    await turnOver()
    expect(channel.written).toEqual(['ack up to 1', 'close'])
    expect(onClosed).toHaveBeenCalledExactlyOnceWith(consumer, undefined)
  })

  test('the error is told with which the broker closes it', async () => {
    const consumer = await register(1)
    const error = Object.assign(new Error('NOT_FOUND'), { code: 404 })
    channel.fail(error)
    expect(onClosed).toHaveBeenCalledExactlyOnceWith(consumer, error)
    expect(consumer.closed.reason).toMatchObject({ cause: error })
  })

  test('the error is told also if a question has not been answered', async () => {
    const consumer = await open(1)
    const error = Object.assign(new Error('NOT_FOUND'), { code: 404 })
    channel.fail(error)
    await turnOver()
    expect(onClosed).toHaveBeenCalledExactlyOnceWith(consumer, error)
    expect(onRegistered).not.toHaveBeenCalled()
  })

  test('nothing can be settled once it is closed, and nothing is asked', async () => {
    const consumer = await register(3)
    const [first, second] = deliver(1, 2)
    channel.end()
    expect(consumer.closed.aborted).toBe(true)
    if (first) expect(() => consumer.ack(first)).toThrow('is closed')
    if (second) expect(() => consumer.reject(second, { requeue: true })).toThrow('is closed')
    consumer.setPrefetch(7)
    consumer.renew()
    consumer.readmit()
    await turnOver()
    await consumer.close()
    expect(channel.written).toEqual([])
  })

  test('whoever closes it waits for its end, also a second time, and when the answer does not come', async () => {
    const consumer = await register(3)
    const close = vi.spyOn(channel, 'close')
    close.mockReturnValueOnce(new Promise(() => {}))
    close.mockRejectedValueOnce(new Error('Channel closing'))
    const closed = Promise.all([consumer.close(), consumer.close()])
    await turnOver()
    channel.end()
    await closed
    expect(close).toHaveBeenCalledTimes(2)
  })

  test('acks that a closing channel does not take are dropped', async () => {
    const consumer = await register(3)
    for (const message of deliver(1)) consumer.ack(message)
    channel.end()
    await turnOver()
    expect(channel.written).toEqual([])
  })
})

describe('a consumer channel is settled', () => {
  test('when the broker has answered the registration that is wanted', async () => {
    const consumer = await open(1)
    expect(consumer.isSettled).toBe(false)
    await channel.answer()
    expect(consumer.isSettled).toBe(true)
    consumer.setPrefetch(2)
    expect(consumer.isSettled).toBe(false)
    await channel.answer()
    expect(consumer.isSettled).toBe(false)
    await channel.answer()
    expect(consumer.isSettled).toBe(true)
  })

  test('without a registration when nothing is to be taken', async () => {
    const consumer = await open(0)
    expect(consumer.isSettled).toBe(true)
    consumer.setPrefetch(1)
    await channel.answer()
    consumer.setPrefetch(0)
    expect(consumer.isSettled).toBe(false)
    await channel.answer()
    expect(consumer.isSettled).toBe(true)
  })

  test('not while it waits to be readmitted', async () => {
    const consumer = await register(1)
    channel.deliver(null)
    expect(consumer.isSettled).toBe(false)
    consumer.readmit()
    expect(consumer.isSettled).toBe(false)
    await channel.answer()
    expect(consumer.isSettled).toBe(true)
  })
})
