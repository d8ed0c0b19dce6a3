import { EventEmitter } from 'node:events'
import { type ChannelModel, IllegalOperationError, type Options, type SocketOptions } from 'amqplib'
import type { ConnectToBroker } from '../../src/connection/open-connection.js'
import type { FakeConsumerChannel } from './fake-consumer-channel.js'

/** What a real broker cannot be made to do at will, or would do to everybody on it: a stand-in for amqplib's `connect`. */
export interface FakeBroker {
  connect: ConnectToBroker
  /** In the order of their opening. */
  connections: FakeConnection[]
  /** The URLs that were tried, also in vain. */
  tried: string[]
  /** Decides what comes of an attempt. Default: `open`. `hang` lasts until the socket is destroyed. */
  answer: (url: string) => 'open' | 'hang' | Error
  missingExchanges: Set<string>
  /** Opens the channels of a consumer. */
  openConsumerChannel: (() => Promise<FakeConsumerChannel>) | undefined
}

export function createFakeBroker(): FakeBroker {
  const broker: FakeBroker = {
    connections: [],
    tried: [],
    answer: () => 'open',
    missingExchanges: new Set(),
    openConsumerChannel: undefined,
    async connect(url, options) {
      const { signal } = options as SocketOptions & { signal: AbortSignal }
      broker.tried.push(url)
      const answer = broker.answer(url)
      if (answer instanceof Error) throw answer
      if (answer === 'hang') await rejectWhenAborted(signal)
      const connection = new FakeConnection(broker, signal)
      broker.connections.push(connection)
      return connection as unknown as ChannelModel
    },
  }
  return broker
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}

export class FakeConnection extends EventEmitter {
  readonly connection = {}
  readonly channels: FakeChannel[] = []
  readonly consumerChannels: FakeConsumerChannel[] = []
  readonly broker: FakeBroker
  readonly socket: AbortSignal
  /** The answer to `close` does not come. */
  frozen = false

  constructor(broker: FakeBroker, socket: AbortSignal) {
    super()
    this.broker = broker
    this.socket = socket
    socket.addEventListener('abort', () => this.lose(new Error('The operation was aborted')), { once: true })
  }

  async createConfirmChannel(): Promise<FakeChannel> {
    this.#assertOpen()
    const channel = new FakeChannel(this.broker)
    this.channels.push(channel)
    return channel
  }

  async createChannel(): Promise<FakeChannel | FakeConsumerChannel> {
    if (!this.broker.openConsumerChannel) return await this.createConfirmChannel()
    this.#assertOpen()
    const channel = await this.broker.openConsumerChannel()
    this.consumerChannels.push(channel)
    return channel
  }

  async close(): Promise<void> {
    if (this.frozen) return await new Promise(() => undefined)
    this.lose(undefined)
  }

  /** As amqplib: the error first, then the channels close, then the connection does. */
  lose(error: Error | undefined = new Error('read ECONNRESET')): void {
    if (this.#lost) return
    this.#lost = true
    if (error) this.emit('error', error)
    for (const channel of [...this.channels, ...this.consumerChannels]) channel.end()
    this.emit('close', error)
  }
  #lost = false

  #assertOpen(): void {
    if (this.#lost) throw new IllegalOperationError('Connection closed', '')
  }
}

export interface FakePublication {
  exchange: string
  routingKey: string
  body: string
  options: Options.Publish
}

export class FakeChannel extends EventEmitter {
  /** All that was written, in order: the delivery tag is the place, counted from 1. */
  readonly published: FakePublication[] = []
  /** What the next publish throws. */
  throwNext: Error | undefined
  /** What `publish` returns: false asks to wait for 'drain'. */
  writable = true
  checks = 0
  readonly #broker: FakeBroker
  #ended = false

  constructor(broker: FakeBroker) {
    super()
    this.#broker = broker
  }

  get bodies(): string[] {
    return this.published.map(({ body }) => body)
  }

  async checkExchange(exchange: string): Promise<void> {
    this.checks += 1
    if (!this.#broker.missingExchanges.has(exchange)) return
    const error = Object.assign(new Error(`NOT_FOUND - no exchange '${exchange}'`), { code: 404 })
    this.fail(error)
    throw error
  }

  publish(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): boolean {
    const error = this.throwNext
    this.throwNext = undefined
    if (error) throw error
    this.published.push({ exchange, routingKey, body: content.toString(), options })
    return this.writable
  }

  ack(deliveryTag: number, multiple = false): void {
    this.emit('ack', { deliveryTag, multiple })
  }

  nack(deliveryTag: number, multiple = false): void {
    this.emit('nack', { deliveryTag, multiple })
  }

  /** Acks all that was published so far. */
  ackAll(): void {
    this.ack(this.published.length, true)
  }

  /** Returns the message that was published with this tag. */
  returnMessage(deliveryTag: number): void {
    const { exchange, routingKey, body, options } = this.published[deliveryTag - 1] as FakePublication
    const fields = { replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey }
    this.emit('return', { fields, properties: { messageId: options.messageId }, content: Buffer.from(body) })
  }

  async close(): Promise<void> {
    this.end()
  }

  fail(error: Error): void {
    this.emit('error', error)
    this.end()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.emit('close')
  }
}

async function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The operation was aborted')), { once: true })
  })
}
