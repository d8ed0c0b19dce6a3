import type { EventEmitter } from 'node:events'
import type { TestFixtures } from '@mono/test-support'
import amqplib from 'amqplib/callback_api'

/** A channel of amqplib's callback API, beneath all that this package puts on it. */
interface RawChannel extends EventEmitter {
  /** By consumer tag, as the broker knows it. */
  consumers: Map<string, unknown>
  consume(...args: unknown[]): void
}

interface RawConnection {
  createConfirmChannel(done: (error: unknown, channel?: RawChannel) => void): void
}

type Connect = (url: string, options: object, done: (error: unknown, connection?: RawConnection) => void) => void

/** Lets a test do to a consumer what a broker at fault would. */
export interface WatchedChannels {
  /** The broker knows the consumer no more, and nobody has been told. */
  forgetConsumer(): Promise<void>
  /** How often rascal has been about to consume on a new channel. */
  readonly attempts: number
  /** The broker closes the channel of the consumer for a protocol error. */
  breakChannel(): void
}

export interface WatchOptions {
  /** The first time that a consumer is to be registered, is waited for. */
  beforeFirstConsume?: () => Promise<unknown>
}

/** To be called before the consumer is made. */
export function watchChannels(
  { cleanUp }: Pick<TestFixtures, 'cleanUp'>,
  { beforeFirstConsume }: WatchOptions = {},
): WatchedChannels {
  const api = amqplib as unknown as { connect: Connect }
  const { connect } = api
  const channels = new Set<RawChannel>()
  let attempts = 0
  const onChannel = (channel: RawChannel) => {
    channels.add(channel)
    channel.once('close', () => channels.delete(channel))
    const consume = channel.consume.bind(channel)
    channel.consume = (...args) => {
      attempts += 1
      const ready = attempts === 1 ? beforeFirstConsume?.() : undefined
      if (ready !== undefined) void ready.then(() => consume(...args))
      else consume(...args)
    }
  }
  api.connect = (url, options, done) =>
    connect(url, options, (error, connection) => {
      if (connection) watchConnection(connection, onChannel)
      done(error, connection)
    })
  cleanUp(() => {
    api.connect = connect
  })

  const find = () => {
    const channel = [...channels].find(({ consumers }) => consumers.size > 0)
    if (channel === undefined) throw new Error('Expected a channel with a consumer, found none')
    return { channel, raw: Object.getPrototypeOf(channel) as RawMethods }
  }
  return {
    get attempts() {
      return attempts
    },
    forgetConsumer() {
      const { channel, raw } = find()
      const [tag] = channel.consumers.keys()
      return new Promise((resolve, reject) => {
        raw.cancel.call(channel, tag ?? '', (error) => (error ? reject(error) : resolve()))
      })
    },
    breakChannel() {
      const { channel, raw } = find()
      raw.ack.call(channel, { fields: { deliveryTag: 4_711 } })
    },
  }
}

interface RawMethods {
  cancel(this: RawChannel, tag: string, done: (error: unknown) => void): void
  ack(this: RawChannel, message: object): void
}

function watchConnection(connection: RawConnection, onChannel: (channel: RawChannel) => void): void {
  const create = connection.createConfirmChannel.bind(connection)
  connection.createConfirmChannel = (done) =>
    create((error, channel) => {
      if (channel) onChannel(channel)
      done(error, channel)
    })
}
