import type { ConsumeMessage } from 'amqplib'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import { TappedConsumer } from './tapped-consumer.js'

type Done = (error: Error | null, result?: never) => void

/** A broker that answers when the test says so. */
function createChannel() {
  const asked: string[] = []
  const answers: (() => void)[] = []
  const callbacks: ((message: ConsumeMessage | null) => void)[] = []
  let fault: Error | undefined
  const answerLater = (done: (error: Error | null, result?: never) => void, result: object) =>
    answers.push(() => done(fault ?? null, result as never))
  return {
    asked,
    callbacks,
    prefetch(count: number, _global: boolean, _done: Done) {
      asked.push(`qos ${count}`)
    },
    consume(queue: string, onMessage: (message: ConsumeMessage | null) => void, _options: object, done: Done) {
      asked.push(`consume ${queue}`)
      callbacks.push(onMessage)
      answerLater(done, { consumerTag: `ctag-${callbacks.length}` })
    },
    cancel(tag: string, done: Done) {
      asked.push(`cancel ${tag}`)
      answerLater(done, {})
    },
    answer: () => answers.shift()?.(),
    refuse(error: Error) {
      fault = error
      answers.shift()?.()
    },
  }
}

const onDelivery = vi.fn()
const onConsuming = vi.fn()
const onCancelled = vi.fn()
let channel: ReturnType<typeof createChannel>

beforeEach(() => {
  vi.clearAllMocks()
  channel = createChannel()
})

function start(prefetch: number) {
  const consumer = new TappedConsumer({
    channel,
    queue: 'q',
    options: {},
    prefetch,
    onDelivery,
    onConsuming,
    onCancelled,
  })
  const started = vi.fn()
  consumer.start(started)
  return { consumer, started }
}

describe('a tapped consumer', () => {
  test('is known to rascal when the broker has registered it', () => {
    const { consumer, started } = start(1)
    expect(started).not.toHaveBeenCalled()
    channel.answer()
    expect(channel.asked).toEqual(['qos 1', 'consume q'])
    expect(started).toHaveBeenCalledExactlyOnceWith(null, { consumerTag: consumer.tag })
    expect(onConsuming).toHaveBeenCalledOnce()
  })

  test('that is to take nothing is known to rascal at once, and not to the broker', () => {
    const { consumer, started } = start(0)
    expect(started).toHaveBeenCalledExactlyOnceWith(null, { consumerTag: consumer.tag })
    expect(channel.asked).toEqual([])
    consumer.setPrefetch(1)
    channel.answer()
    expect(channel.asked).toEqual(['qos 1', 'consume q'])
    expect(onConsuming).toHaveBeenCalledOnce()
    expect(started).toHaveBeenCalledOnce()
  })

  test('is cancelled at once when its prefetch changes, and registered anew after the answer', () => {
    const { consumer } = start(1)
    channel.answer()
    consumer.setPrefetch(100)
    expect(channel.asked.slice(2)).toEqual(['cancel ctag-1'])
    channel.answer()
    expect(channel.asked.slice(3)).toEqual(['qos 100', 'consume q'])
    channel.answer()
    expect(onConsuming).toHaveBeenCalledTimes(2)
    consumer.setPrefetch(100)
    expect(channel.asked).toHaveLength(5)
  })

  test('follows only the last of several wishes', () => {
    const { consumer } = start(1)
    for (const prefetch of [100, 0, 7]) consumer.setPrefetch(prefetch)
    channel.answer()
    expect(channel.asked.slice(2)).toEqual(['cancel ctag-1'])
    channel.answer()
    expect(channel.asked.slice(3)).toEqual(['qos 7', 'consume q'])
  })

  test('gives its deliveries the tag that rascal knows, and says by which registration they came', () => {
    const { consumer } = start(1)
    channel.answer()
    consumer.setPrefetch(100)
    channel.answer()
    channel.answer()
    const [early, late] = [createConsumeMessage(), createConsumeMessage()]
    channel.callbacks[0]?.(early)
    channel.callbacks[1]?.(late)
    expect(onDelivery.mock.calls).toEqual([
      [early, 1],
      [late, 100],
    ])
    expect(early.fields.consumerTag).toBe(consumer.tag)
    expect(late.fields.consumerTag).toBe(consumer.tag)
  })

  test('tells when the broker cancels it, and is registered again when it is told to go on', () => {
    const { consumer } = start(3)
    channel.answer()
    channel.callbacks[0]?.(null)
    expect(onCancelled).toHaveBeenCalledOnce()
    expect(channel.asked).toHaveLength(2)
    consumer.advance()
    expect(channel.asked.slice(2)).toEqual(['qos 3', 'consume q'])
  })

  test('that is renewed is cancelled and registered again as it was', () => {
    const { consumer } = start(3)
    channel.answer()
    consumer.renew()
    channel.answer()
    expect(channel.asked.slice(2)).toEqual(['cancel ctag-1', 'qos 3', 'consume q'])
  })

  test('passes a refusal on to rascal when that waits for it', () => {
    const { started } = start(1)
    const refusal = new Error('404')
    channel.refuse(refusal)
    expect(started).toHaveBeenCalledExactlyOnceWith(refusal)
    expect(onConsuming).not.toHaveBeenCalled()
  })

  test('ends once, when the broker sends no more', () => {
    const { consumer } = start(1)
    channel.answer()
    const ended = vi.fn()
    consumer.end(ended)
    consumer.setPrefetch(100)
    expect(ended).not.toHaveBeenCalled()
    channel.answer()
    consumer.close()
    consumer.advance()
    expect(ended).toHaveBeenCalledExactlyOnceWith(null, {})
    expect(channel.asked.slice(2)).toEqual(['cancel ctag-1'])
  })

  test('ends with an error when its channel closes first', () => {
    const { consumer } = start(1)
    const ended = vi.fn()
    consumer.end(ended)
    consumer.close()
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(Error), {})
  })
})
