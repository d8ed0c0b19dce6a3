import { type ChannelModel, type ConfirmChannel, IllegalOperationError, type Message, type Options } from 'amqplib'
import { frameMaxOf } from '../connection/frame-max-of.js'
import { contentHeaderBytes } from '../content-header-bytes.js'
import type { OutgoingMessage } from './outgoing-message.js'
import type { PendingMessage } from './pending-message.js'
import { PublishWindow } from './publish-window.js'

export interface PublishChannelLimits {
  /** Unconfirmed messages, and bytes of their bodies, on the channel. One message is always admitted. */
  maxInFlight: number
  maxInFlightBytes: number
}

export interface PublishChannelOptions {
  limits: PublishChannelLimits
  listener: PublishChannelListener
  maxFrameBytes: number
}

export interface PublishChannelListener {
  onConfirmed(pending: PendingMessage): void
  onRefused(pending: PendingMessage): void
  onReturned(pending: PendingMessage, replyText: string): void
  /** There may be room to send again. */
  onRoom(): void
  /**
   * What was unconfirmed, in the order of sending. With a `failure` the broker closed this channel only; without one
   * the connection is gone.
   */
  onClosed(unconfirmed: PendingMessage[], failure: Error | undefined): void
}

/** Amqplib encodes at most 64 KiB of headers, and twelve other properties have 256 bytes each. */
const largestContentHeaderBytes = 68 * 1024

/**
 * One confirm channel from its opening to its end, and what is in flight on it. It is not opened again: a new one takes
 * its place.
 */
export class PublishChannel {
  readonly window = new PublishWindow()
  /** How large a frame may be that is sent to this broker. */
  readonly maxFrameBytes: number
  readonly #channel: ConfirmChannel
  readonly #limits: PublishChannelLimits
  readonly #listener: PublishChannelListener
  /** amqplib's buffer is full; its 'drain' is awaited. */
  #congested = false
  /** It takes no more; its 'close' will come. */
  #ending = false
  #failure: Error | undefined
  #closed = false

  constructor(channel: ConfirmChannel, { limits, listener, maxFrameBytes }: PublishChannelOptions) {
    this.maxFrameBytes = maxFrameBytes
    this.#channel = channel
    this.#limits = limits
    this.#listener = listener
    this.#listen()
  }

  get closed(): boolean {
    return this.#closed
  }

  get hasRoom(): boolean {
    if (this.#closed || this.#ending || this.#congested) return false
    const { size, bytes } = this.window
    return size === 0 || (size < this.#limits.maxInFlight && bytes < this.#limits.maxInFlightBytes)
  }

  /** Its properties fit into one frame. Of one that does not the broker would end the connection. */
  admits({ properties }: OutgoingMessage): boolean {
    if (this.maxFrameBytes >= largestContentHeaderBytes) return true
    return contentHeaderBytes({ ...properties }) <= this.maxFrameBytes
  }

  /**
   * Writes the message. If it throws, nothing was written and the broker has counted nothing.
   *
   * @throws IllegalOperationError if the channel is closed or closing
   * @throws TypeError, RangeError if AMQP cannot carry a property of this message
   */
  send(pending: PendingMessage): void {
    const { exchange, routingKey, body } = pending.message
    try {
      this.#congested = !this.#channel.publish(exchange, routingKey, body, toPublishOptions(pending.message))
    } catch (error) {
      if (error instanceof IllegalOperationError) this.#ending = true
      throw error
    }
    this.window.add(pending)
  }

  /** amqplib calls these from its frame loop: one that throws would close the connection. */
  #listen(): void {
    const channel = this.#channel
    channel.on('ack', ({ deliveryTag, multiple }) => {
      for (const pending of this.window.take(deliveryTag, multiple)) this.#listener.onConfirmed(pending)
      this.#listener.onRoom()
    })
    channel.on('nack', ({ deliveryTag, multiple }) => {
      for (const pending of this.window.take(deliveryTag, multiple)) this.#listener.onRefused(pending)
      this.#listener.onRoom()
    })
    channel.on('return', (message) => this.#onReturn(message))
    channel.on('drain', () => {
      this.#congested = false
      this.#listener.onRoom()
    })
    channel.on('error', (error) => {
      this.#failure = error
    })
    channel.on('close', () => {
      this.#closed = true
      this.#listener.onClosed(this.window.takeAll(), this.#failure)
    })
  }

  #onReturn({ fields, properties, content }: Message): void {
    const { routingKey, replyText } = fields as Message['fields'] & { replyText: string }
    const pending = this.window.takeReturned({ routingKey, messageId: properties.messageId, body: content })
    if (pending) this.#listener.onReturned(pending, replyText)
  }
}

/** Written out, because a spread takes longer than the rest of `send`. amqplib leaves out what is undefined. */
function toPublishOptions({ properties, mandatory, persistent }: OutgoingMessage): Options.Publish {
  const options = {
    messageId: properties.messageId,
    type: properties.type,
    contentType: properties.contentType,
    contentEncoding: properties.contentEncoding,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    appId: properties.appId,
    timestamp: properties.timestamp,
    priority: properties.priority,
    headers: properties.headers,
    mandatory,
    persistent,
  }
  return options as Options.Publish
}

export interface OpenPublishChannelOptions {
  connection: ChannelModel
  exchange: string
  limits: PublishChannelLimits
  listener: PublishChannelListener
}

/**
 * The exchange is looked up first, which needs no rights: one publish to a missing exchange makes the broker close the
 * channel, and of all that is in flight then nobody knows whether it arrived. The default exchange cannot be looked up,
 * and is never missing.
 *
 * @throws Error with amqplib's `code` 404 if the exchange does not exist; any other if the channel cannot be opened
 */
export async function openPublishChannel(options: OpenPublishChannelOptions): Promise<PublishChannel> {
  const { connection, exchange, limits, listener } = options
  const channel = await connection.createConfirmChannel()
  const opened = new PublishChannel(channel, { limits, listener, maxFrameBytes: frameMaxOf(connection) })
  if (exchange !== '') await channel.checkExchange(exchange)
  if (opened.closed) throw new Error('the channel was closed while it was opened')
  return opened
}
