import { setMaxListeners } from 'node:events'
import { sleep } from '@mono/waiting'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { frameMaxOf } from '../../connection/frame-max-of.js'
import { AckMerger } from './ack-merger.js'

export interface ConsumerChannelOptions {
  model: ChannelModel
  queue: string
  /** Names the replica in the broker's list of consumers; each registration adds a number. */
  consumerName: string
  /** Deliveries at a time; 0: none are taken. */
  prefetch: number
  /** Called before acks are written. */
  batchWrites(): void
  /** @param alone the broker sent it by a registration that admits one delivery at a time */
  onDelivery(message: ConsumeMessage, from: { channel: ConsumerChannel; alone: boolean }): void
  /** The broker has confirmed that the consumer is registered. */
  onRegistered(): void
  /** By the broker, because the queue was deleted or its leader is gone. The channel is open. */
  onCancelled(channel: ConsumerChannel): void
  /** With an error, the broker closed this channel; without one, the connection is gone or the channel was closed here. */
  onClosed(channel: ConsumerChannel, error: Error | undefined): void
}

interface Registration {
  tag: string
  prefetch: number
}

let registrations = 0

/**
 * One channel of a consumer, from its opening to its end. It is not opened again: another one takes its place.
 *
 * Its registration at the broker is exchanged for another whenever the prefetch changes, because a prefetch is for the
 * registrations that come after it (AMQP: basic.qos). What is in flight is settled on this channel, before or after.
 *
 * - registered as wanted: `advance` does nothing
 * - registered with another prefetch: the registration is cancelled, then replaced
 * - not registered: registers, if deliveries are wanted and the broker has not cancelled the consumer; after that it
 *   waits for `readmit`
 *
 * One question is on its way to the broker at a time; each answer is followed by the next step.
 */
export class ConsumerChannel {
  readonly #options: ConsumerChannelOptions
  readonly #channel: Channel
  readonly #acks: AckMerger
  readonly #closed = new AbortController()
  #wanted: number
  #current: Registration | undefined
  #isBusy = false
  #isCancelled = false
  #isEnding = false
  /** Closing: amqplib takes nothing more, and what it does not take is delivered again. */
  #isClosing = false
  #failure: Error | undefined
  #onEnded: () => void = () => {}

  private constructor(channel: Channel, options: ConsumerChannelOptions) {
    this.#options = options
    this.#channel = channel
    this.#wanted = options.prefetch
    this.#acks = new AckMerger((message, allUpTo) => {
      options.batchWrites()
      channel.ack(message, allUpTo)
    })
    // Every delivery that is being forwarded listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#closed.signal)
    channel.on('error', (error) => {
      this.#failure = error
    })
    channel.on('close', () => this.#onClosed())
  }

  /** @throws Error if the channel cannot be opened */
  static async open(options: ConsumerChannelOptions): Promise<ConsumerChannel> {
    const channel = new ConsumerChannel(await options.model.createChannel(), options)
    channel.#advance()
    return channel
  }

  /** Aborted when the channel is closed: the broker delivers again whatever was in flight on it. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** How large a frame may be that is sent to the broker. */
  get maxFrameBytes(): number {
    return frameMaxOf(this.#options.model)
  }

  /** The prefetch that is wanted. */
  get prefetch(): number {
    return this.#wanted
  }

  /** The broker has said that it is registered, and nobody has taken that back. */
  get isRegistered(): boolean {
    return this.#current !== undefined && !this.#isBusy
  }

  /** As far as the broker has said, this consumer is registered as it is wanted to be, or nothing is to be taken. */
  get isSettled(): boolean {
    return !this.#isBusy && !this.#isCancelled && (this.#current?.prefetch ?? 0) === this.#wanted
  }

  /**
   * The registration is cancelled at once, or with the answer that is awaited: what is acknowledged after that brings no
   * delivery by it.
   */
  setPrefetch(prefetch: number): void {
    if (this.#isEnding) return
    this.#wanted = prefetch
    this.#advance()
  }

  /** Registers again, with the same prefetch. */
  renew(): void {
    if (this.#current !== undefined && !this.#isBusy) this.#cancel(this.#current)
  }

  /** The queue is there again, after the broker has cancelled the consumer. */
  readmit(): void {
    this.#isCancelled = false
    this.#advance()
  }

  /** Takes nothing more, ever. Resolves when the broker sends no more. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#isEnding = true
      this.#wanted = 0
      this.#onEnded = resolve
      if (this.#closed.signal.aborted) resolve()
      else this.#advance()
    })
  }

  /** To be acknowledged at the end of this turn of the event loop. @throws Error if the channel is closed */
  ack(message: ConsumeMessage): void {
    this.#assertOpen()
    this.#acks.ack(message)
  }

  /** Back to the queue, or to its dead-letter queue. @throws Error if the channel is closed */
  reject(message: ConsumeMessage, { requeue }: { requeue: boolean }): void {
    this.#assertOpen()
    this.#acks.forget(message)
    this.#channel.nack(message, false, requeue)
  }

  /**
   * Writes what is acknowledged and closes. Resolves when the channel is closed, in whatever way. The connection may be
   * closed only after it: amqplib would write that first.
   */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#acks.flush()
    this.#isClosing = true
    // amqplib answers neither a second call nor one whose connection is lost meanwhile.
    this.#channel.close().catch(() => {})
    await sleep(Number.POSITIVE_INFINITY, this.#closed.signal)
  }

  #assertOpen(): void {
    if (!this.#isClosing && !this.#closed.signal.aborted) return
    throw new Error('The channel that the delivery came by is closed.')
  }

  #onClosed(): void {
    this.#current = undefined
    this.#closed.abort(new Error('The channel that the delivery came by is closed.', { cause: this.#failure }))
    this.#onEnded()
    this.#options.onClosed(this, this.#failure)
  }

  #advance(): void {
    if (this.#isBusy || this.#closed.signal.aborted) return
    if (this.#current !== undefined && this.#current.prefetch !== this.#wanted) this.#cancel(this.#current)
    else if (this.#current === undefined && this.#wanted > 0 && !this.#isCancelled) this.#register(this.#wanted)
    else if (this.#current === undefined && this.#isEnding) this.#onEnded()
  }

  #cancel(registration: Registration): void {
    this.#ask(
      () => this.#channel.cancel(registration.tag),
      () => {
        if (this.#current === registration) this.#current = undefined
      },
    )
  }

  #register(prefetch: number): void {
    const { queue, consumerName, onRegistered } = this.#options
    registrations += 1
    const registration = { tag: `${consumerName}.${registrations}`, prefetch }
    this.#current = registration
    const onMessage = (message: ConsumeMessage | null) => this.#take(message, registration)
    // The broker answers in the order of asking. The first deliveries may be in the packet of its second answer, and so
    // may the end of the registration.
    this.#ask(
      async () => {
        const qos = this.#channel.prefetch(prefetch)
        const registered = this.#channel.consume(queue, onMessage, { consumerTag: registration.tag })
        await Promise.all([qos, registered])
      },
      () => {
        if (this.#current === registration) onRegistered()
      },
    )
  }

  /** amqplib calls this from its frame loop: if it throws, the channel is closed. */
  #take(message: ConsumeMessage | null, registration: Registration): void {
    if (message !== null) {
      this.#acks.delivered(message)
      this.#options.onDelivery(message, { channel: this, alone: registration.prefetch === 1 })
    } else if (this.#current === registration) {
      this.#current = undefined
      this.#isCancelled = true
      this.#options.onCancelled(this)
    }
  }

  /** A question that fails does so because the channel closes, which is told by itself. */
  #ask(question: () => Promise<unknown>, onAnswer: () => void): void {
    this.#isBusy = true
    question().then(
      () => {
        this.#isBusy = false
        onAnswer()
        this.#advance()
      },
      () => {},
    )
  }
}
