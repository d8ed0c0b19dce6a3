import type { ConsumeMessage } from 'amqplib'

type Done<T> = (error: Error | null, result?: T) => void
type OnMessage = (message: ConsumeMessage | null) => void

/** amqplib's own methods of a channel, untapped. */
export interface ConsumingChannel {
  consume(queue: string, onMessage: OnMessage, options: object, done: Done<{ consumerTag: string }>): void
  cancel(consumerTag: string, done: Done<object>): void
  prefetch(count: number, global: boolean, done: Done<object>): void
}

export interface TappedConsumerOptions {
  channel: ConsumingChannel
  queue: string
  options: object
  /** Deliveries at a time; 0: none are taken. */
  prefetch: number
  /** @param prefetch of the registration by which the broker sent it */
  onDelivery(message: ConsumeMessage, prefetch: number): void
  onConsuming(): void
  /** By the broker: the queue was deleted, or its leader is gone. */
  onCancelled(): void
}

let made = 0

/**
 * The consumer of one of rascal's channels. Rascal sees one consumer from the channel's opening to its end; underneath,
 * its registration at the broker is exchanged: a new prefetch is for new registrations only (AMQP: basic.qos), and rascal
 * would have to wait with it until nothing is in hand. What is in hand is settled on the same channel, before or after.
 */
export class TappedConsumer {
  /** The one that rascal knows; unique, because rascal keeps its channels by it. */
  readonly tag: string
  readonly #options: TappedConsumerOptions
  #wanted: number
  #current: { tag: string; prefetch: number } | undefined
  /** An exchange is under way: the broker answers one at a time. */
  #busy = false
  #closed = false
  #ended = false
  #onRegistered: Done<{ consumerTag: string }> | undefined
  #onEnded: Done<object> | undefined

  constructor(options: TappedConsumerOptions) {
    made += 1
    this.tag = `tapped-${made}`
    this.#options = options
    this.#wanted = options.prefetch
  }

  /** Answers when the broker has registered it, or at once if nothing is to be taken. */
  start(done: Done<{ consumerTag: string }>): void {
    if (this.#wanted === 0) done(null, { consumerTag: this.tag })
    else this.#onRegistered = done
    this.advance()
  }

  /** The old registration is cancelled before this returns: what is acknowledged next brings no delivery by it. */
  setPrefetch(prefetch: number): void {
    if (this.#ended) return
    this.#wanted = prefetch
    this.advance()
  }

  /** Registers anew, with the same prefetch. */
  renew(): void {
    const { tag } = this.#current ?? {}
    if (tag !== undefined && !this.#busy) this.#cancel(tag)
  }

  /** As rascal asks: takes nothing more, ever. Answers when the broker sends no more. */
  end(done: Done<object>): void {
    this.#ended = true
    this.#wanted = 0
    this.#onEnded = done
    this.advance()
  }

  /** The channel is closed. */
  close(): void {
    this.#closed = true
    this.#current = undefined
    this.#answerEnd(new Error('The channel is closed.'))
  }

  /** Goes one step towards what is wanted; the broker's answer is followed by the next. */
  advance(): void {
    if (this.#busy || this.#closed) return
    if (this.#current !== undefined && this.#current.prefetch !== this.#wanted) this.#cancel(this.#current.tag)
    else if (this.#current === undefined && this.#wanted > 0) this.#register(this.#wanted)
    else if (this.#current === undefined) this.#answerEnd(null)
  }

  #answerEnd(error: Error | null): void {
    this.#onEnded?.(error, {})
    this.#onEnded = undefined
  }

  #cancel(tag: string): void {
    this.#exchange(
      (done) => this.#options.channel.cancel(tag, done),
      () => {
        if (this.#current?.tag === tag) this.#current = undefined
      },
    )
  }

  #register(prefetch: number): void {
    const { channel, queue, options, onConsuming } = this.#options
    let tag: string | undefined
    const onMessage: OnMessage = (message) => this.#take(message, { tag, prefetch })
    // Answered in the order of asking.
    const ask = (done: Done<{ consumerTag: string }>) => {
      channel.prefetch(prefetch, false, () => {})
      channel.consume(queue, onMessage, options, done)
    }
    this.#exchange(ask, (ok) => {
      tag = ok?.consumerTag ?? ''
      this.#current = { tag, prefetch }
      // In this turn: the first deliveries may be next in the same packet, and rascal must know the consumer by then.
      this.#onRegistered?.(null, { consumerTag: this.tag })
      this.#onRegistered = undefined
      onConsuming()
    })
  }

  #take(message: ConsumeMessage | null, registration: { tag: string | undefined; prefetch: number }): void {
    if (message !== null) {
      message.fields.consumerTag = this.tag
      this.#options.onDelivery(message, registration.prefetch)
    } else if (this.#current?.tag === registration.tag) {
      this.#current = undefined
      this.#options.onCancelled()
    }
  }

  /** An error is that of a channel that closes, which rascal hears of by itself, unless it waits for this answer. */
  #exchange<T>(ask: (done: Done<T>) => void, onAnswer: (result?: T) => void): void {
    this.#busy = true
    const done: Done<T> = (error, result) => {
      this.#busy = false
      if (error) {
        this.#onRegistered?.(error)
        this.#onRegistered = undefined
        return
      }
      onAnswer(result)
      this.advance()
    }
    try {
      ask(done)
    } catch (error) {
      done(error as Error)
    }
  }
}
