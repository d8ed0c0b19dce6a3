import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ConsumeMessage } from 'amqplib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import { attachTap, closeConnections, detachTap, headersOf, type RascalTap } from './rascal-tap.js'

type Done = (error: Error | null, result?: unknown) => void
type OnMessage = (message: ConsumeMessage | null) => void

const amqplib = vi.hoisted(() => ({ connect: (_url: string, _options: unknown, _done: unknown): void => {} }))
const answers = vi.hoisted(() => [] as unknown[])
vi.mock('amqplib/callback_api', () => {
  amqplib.connect = (_url, _options, done) => {
    const answer = answers.shift()
    if (answer instanceof Error) (done as Done)(answer)
    else (done as Done)(null, answer)
  }
  return { default: amqplib }
})

class FakeChannel extends EventEmitter {
  deliver: OnMessage = () => {}
  readonly acked: ConsumeMessage[] = []
  #fault: Error | null

  constructor(fault: Error | null) {
    super()
    this.#fault = fault
  }

  ack(message: ConsumeMessage): void {
    this.acked.push(message)
  }

  nack(_message: ConsumeMessage, _allUpTo: boolean, _requeue: boolean): void {}

  readonly asked: string[] = []

  prefetch(count: number, _global: boolean, done: Done): void {
    this.asked.push(`qos ${count}`)
    done(null, {})
  }

  cancel(tag: string, done: Done): void {
    this.asked.push(`cancel ${tag}`)
    done(null, {})
  }

  checkQueue(_queue: string, done: Done): void {
    done(null, { messageCount: 7 })
  }

  close(done: () => void): void {
    done()
  }

  consume(_queue: string, onMessage: OnMessage, _options: object, done: Done): void {
    this.deliver = onMessage
    this.asked.push('consume')
    done(this.#fault, this.#fault ? undefined : { consumerTag: 'tag' })
  }
}

class FakeConnection extends EventEmitter {
  readonly connection = { stream: Object.assign(new PassThrough(), { destroy: vi.fn() }) }
  readonly channel: FakeChannel
  /** What the peer does when it is asked to close. */
  close = vi.fn((done: () => void) => done())

  constructor({ consumeFault = null }: { consumeFault?: Error | null } = {}) {
    super()
    this.channel = new FakeChannel(consumeFault)
  }

  createChannel(done: Done): void {
    done(null, this.channel)
  }

  createConfirmChannel(done: Done): void {
    done(null, this.channel)
  }
}

function createTap() {
  return {
    prefetch: vi.fn(() => 5),
    onChannel: vi.fn<RascalTap['onChannel']>(),
    onConsuming: vi.fn(),
    onCancelled: vi.fn(),
    onLost: vi.fn(),
  } satisfies RascalTap
}

/** Connects as rascal does. */
function connect(answer: FakeConnection | Error, connectionName?: string): Promise<FakeConnection> {
  answers.push(answer)
  const options = connectionName === undefined ? undefined : { clientProperties: { connection_name: connectionName } }
  return new Promise((resolve, reject) => {
    amqplib.connect('amqp://localhost', options, (error: Error | null, connection?: unknown) =>
      error ? reject(error) : resolve(connection as FakeConnection),
    )
  })
}

/** Consumes as rascal does. */
async function consume(
  connection: FakeConnection,
  how: 'createChannel' | 'createConfirmChannel' = 'createConfirmChannel',
) {
  const received: (ConsumeMessage | null)[] = []
  await new Promise<void>((resolve, reject) => {
    connection[how]((_error, channel) => {
      const onMessage: OnMessage = (message) => received.push(message)
      ;(channel as FakeChannel).prefetch(100, false, () => {})
      ;(channel as FakeChannel).consume('q', onMessage, {}, (error) => (error ? reject(error) : resolve()))
    })
  })
  return received
}

let tap: ReturnType<typeof createTap>

beforeEach(() => {
  tap = createTap()
  attachTap('worker', tap)
})

afterEach(async () => {
  vi.useRealTimers()
  await detachTap('worker')
})

describe('a tapped connection', () => {
  test.each(['createChannel', 'createConfirmChannel'] as const)(
    'tells when a consumer is registered on a channel made by %s',
    async (how) => {
      await consume(await connect(new FakeConnection(), 'worker'), how)
      expect(tap.onConsuming).toHaveBeenCalledOnce()
      expect(tap.onLost).not.toHaveBeenCalled()
    },
  )

  test('does not tell of a consumer that the broker refused, but passes the refusal on', async () => {
    const consumeFault = new Error('404')
    const connection = await connect(new FakeConnection({ consumeFault }), 'worker')
    await expect(consume(connection)).rejects.toBe(consumeFault)
    expect(tap.onConsuming).not.toHaveBeenCalled()
  })

  test('tells when the channel of the consumer closes', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    await consume(connection)
    connection.channel.emit('close')
    expect(tap.onLost).toHaveBeenCalledOnce()
  })

  test('tells when the broker cancels the consumer, which rascal must not know', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    const received = await consume(connection)
    connection.channel.deliver(null)
    expect(tap.onCancelled).toHaveBeenCalledOnce()
    expect(tap.onLost).not.toHaveBeenCalled()
    expect(received).toEqual([])
  })

  test('takes as many at a time as is wanted now, whatever rascal asks for', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    await consume(connection)
    const { channel } = connection
    expect(channel.asked).toEqual(['qos 5', 'consume'])
    expect(tap.onChannel).toHaveBeenCalledOnce()
  })

  test('counts what waits in the queue of its consumer', async () => {
    await consume(await connect(new FakeConnection(), 'worker'))
    const [consumer] = tap.onChannel.mock.calls[0] ?? []
    expect(await consumer?.countWaiting()).toBe(7)
  })

  test('passes a failed connect on', async () => {
    const refused = new Error('ECONNREFUSED')
    await expect(connect(refused, 'worker')).rejects.toBe(refused)
  })
})

describe('a delivery', () => {
  test('reaches rascal without headers, while ours are those that were received', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    const received = await consume(connection)
    const headers = { 'x-death': 'boo', rascal: { recovery: { q: { immediateNack: true } } }, 'x-mine': 'kept' }
    const message = createConsumeMessage({ properties: { headers, messageId: 'm-1' } })
    connection.channel.deliver(message)
    expect(received).toEqual([message])
    expect(message.properties).toEqual({ headers: {}, messageId: 'm-1' })
    expect(headersOf(message)).toBe(headers)
  })

  test('without headers has none', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    await consume(connection)
    const message = createConsumeMessage({ properties: { headers: undefined } })
    connection.channel.deliver(message)
    expect(headersOf(message)).toEqual({})
  })

  test('that came past the tap is an error that says what to do', () => {
    expect(() => headersOf(createConsumeMessage())).toThrow(/another copy of amqplib.*install one version/)
  })
})

describe('the acks of one turn', () => {
  async function deliver(...deliveryTags: number[]) {
    const connection = await connect(new FakeConnection(), 'worker')
    await consume(connection)
    const messages = deliveryTags.map((deliveryTag) => createConsumeMessage({ deliveryTag }))
    for (const message of messages) connection.channel.deliver(message)
    return { connection, channel: connection.channel, messages }
  }

  test('go out together', async () => {
    const { connection, channel, messages } = await deliver(1, 2, 3)
    const cork = vi.spyOn(connection.connection.stream, 'cork')
    const uncork = vi.spyOn(connection.connection.stream, 'uncork')
    for (const message of messages.slice(1)) channel.ack(message)
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(channel.acked).toEqual(messages.slice(1))
    expect(cork).toHaveBeenCalledOnce()
    expect(uncork).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(uncork).toHaveBeenCalledOnce())
  })

  test('are one, past what was handed back', async () => {
    const { channel, messages } = await deliver(1, 2, 3)
    const [first, ...others] = messages
    if (first) channel.nack(first, false, true)
    for (const message of others) channel.ack(message)
    await vi.waitFor(() => expect(channel.acked).toEqual([messages[2]]))
  })

  test('go out before their channel closes', async () => {
    const { channel, messages } = await deliver(1)
    for (const message of messages) channel.ack(message)
    channel.close(() => expect(channel.acked).toEqual(messages))
    expect.assertions(1)
  })
})

test.each([
  ['another name', 'other'],
  ['no name', undefined],
])('a connection under %s is left alone', async (_what, connectionName) => {
  const connection = await connect(new FakeConnection(), connectionName)
  const { createChannel, createConfirmChannel } = FakeConnection.prototype
  expect(connection).toMatchObject({ createChannel, createConfirmChannel })
  await closeConnections('worker')
  expect(connection.close).not.toHaveBeenCalled()
})

describe('closing', () => {
  test('closes every connection of the name that is still open', async () => {
    const open = await connect(new FakeConnection(), 'worker')
    const alsoOpen = await connect(new FakeConnection(), 'worker')
    const closed = await connect(new FakeConnection(), 'worker')
    closed.emit('close')
    await closeConnections('worker')
    expect(open.close).toHaveBeenCalledOnce()
    expect(alsoOpen.close).toHaveBeenCalledOnce()
    expect(closed.close).not.toHaveBeenCalled()
  })

  test('closes the socket of a connection that refuses to be closed, because it waits for its peer already', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    connection.close.mockImplementation(() => {
      throw new Error('Connection closing')
    })
    await expect(closeConnections('worker')).resolves.toBeUndefined()
    expect(connection.connection.stream.destroy).toHaveBeenCalledOnce()
  })

  test('closes the socket of a peer that does not answer within a second', async () => {
    vi.useFakeTimers()
    const connection = await connect(new FakeConnection(), 'worker')
    // A socket that is destroyed without an error tells amqplib nothing, so that it would never say `close`.
    connection.close.mockImplementation(() => {})
    const { destroy } = connection.connection.stream
    const closing = closeConnections('worker')
    vi.advanceTimersByTime(999)
    expect(destroy).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(destroy).toHaveBeenCalledExactlyOnceWith(expect.any(Error))
    await closing
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not touch the socket of a peer that answers', async () => {
    const connection = await connect(new FakeConnection(), 'worker')
    await closeConnections('worker')
    expect(connection.connection.stream.destroy).not.toHaveBeenCalled()
  })

  test('ends the watch: the next connection of the name is left alone', async () => {
    await detachTap('worker')
    const connection = await connect(new FakeConnection(), 'worker')
    await consume(connection)
    expect(tap.onConsuming).not.toHaveBeenCalled()
    await expect(closeConnections('worker')).resolves.toBeUndefined()
    expect(connection.close).not.toHaveBeenCalled()
  })

  test('of a name that was never watched is no error', async () => {
    await expect(detachTap('nobody')).resolves.toBeUndefined()
  })
})
