import type { ConsumeMessage } from 'amqplib'

/** amqplib's `ack`: with `allUpTo`, of this delivery and all earlier ones of the channel that are not settled. */
type Ack = (message: ConsumeMessage, allUpTo: boolean) => void

/**
 * Acknowledges the deliveries of a channel that are done in one turn of the event loop with one frame, as far as nothing
 * earlier is still in flight; the others one by one.
 *
 * This is not for speed alone. The broker's side of a channel hands a quorum queue 33 acks, and keeps the following ones
 * until the queue has written these. If the channel closes meanwhile, as it does when a worker has finished its last
 * batch and stops, what it keeps is forgotten and delivered again (RabbitMQ 3.10: 267 of 300). One frame is one ack.
 */
export class AckMerger {
  readonly #ack: Ack
  /** Delivery tags in the order of delivery, which is ascending. */
  readonly #unsettled = new Set<number>()
  readonly #due = new Map<number, ConsumeMessage>()

  constructor(ack: Ack) {
    this.#ack = ack
  }

  delivered(message: ConsumeMessage): void {
    this.#unsettled.add(message.fields.deliveryTag)
  }

  /** To be acknowledged at the end of this turn. */
  ack(message: ConsumeMessage): void {
    if (this.#due.size === 0) process.nextTick(() => this.flush())
    this.#due.set(message.fields.deliveryTag, message)
  }

  /** It is settled in another way. */
  forget(message: ConsumeMessage): void {
    this.#unsettled.delete(message.fields.deliveryTag)
  }

  flush(): void {
    try {
      this.#ackLeading()
      for (const [tag, message] of this.#due) {
        this.#unsettled.delete(tag)
        this.#ack(message, false)
      }
    } catch {
      // The channel or its connection is closing; the broker delivers the messages again.
    }
    this.#due.clear()
  }

  #ackLeading(): void {
    let last: ConsumeMessage | undefined
    for (const tag of this.#unsettled) {
      const message = this.#due.get(tag)
      if (message === undefined) break
      last = message
      this.#due.delete(tag)
      this.#unsettled.delete(tag)
    }
    if (last !== undefined) this.#ack(last, true)
  }
}
