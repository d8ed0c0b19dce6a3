import type { PendingMessage } from './pending-message.js'

/** What `basic.return` tells of the message: enough to find it again. */
export interface ReturnedMessage {
  routingKey: string
  messageId: string | undefined
  body: Buffer
}

/**
 * What was sent on one confirm channel and is not confirmed, by delivery tag. The broker counts the messages of a
 * channel from 1 and names them in `basic.ack` and `basic.nack` by that number; `multiple` means all up to it.
 *
 * A message keeps its place until the broker has answered for it, also when it is settled before that: so a broker that
 * takes and never confirms cannot make us send without bound.
 */
export class PublishWindow {
  /** In the order of sending, as tags only grow. */
  readonly #unconfirmed = new Map<number, PendingMessage>()
  #lastTag = 0
  #bytes = 0

  get size(): number {
    return this.#unconfirmed.size
  }

  /** The bodies only. */
  get bytes(): number {
    return this.#bytes
  }

  /** To be called once for each message that was written to the channel, in that order. */
  add(pending: PendingMessage): void {
    pending.sentBefore = pending.sent
    pending.sent = true
    pending.returned = false
    this.#lastTag += 1
    this.#unconfirmed.set(this.#lastTag, pending)
    this.#bytes += pending.bytes
  }

  /** Takes out what the broker has answered for, oldest first. */
  take(deliveryTag: number, multiple: boolean): PendingMessage[] {
    if (multiple) return this.#takeUpTo(deliveryTag)
    const pending = this.#takeOne(deliveryTag)
    return pending ? [pending] : []
  }

  /**
   * Finds the message that a `basic.return` means, and marks it. It carries no delivery tag, but comes in the order of
   * publishing and before the confirm: so it is the oldest that equals it and was not returned before. Two that agree
   * in message id, routing key and body are one and the same message, published twice.
   */
  takeReturned({ routingKey, messageId, body }: ReturnedMessage): PendingMessage | undefined {
    for (const pending of this.#unconfirmed.values()) {
      if (pending.returned || !pending.message.mandatory) continue
      if (pending.messageId !== messageId || pending.message.routingKey !== routingKey) continue
      if (!pending.message.body.equals(body)) continue
      pending.returned = true
      return pending
    }
    return undefined
  }

  /** Takes out everything, in the order of sending. */
  takeAll(): PendingMessage[] {
    const all = [...this.#unconfirmed.values()]
    this.#unconfirmed.clear()
    this.#bytes = 0
    return all
  }

  /** In the order of sending. */
  values(): Iterable<PendingMessage> {
    return this.#unconfirmed.values()
  }

  #takeUpTo(deliveryTag: number): PendingMessage[] {
    const taken: PendingMessage[] = []
    for (const [tag, pending] of this.#unconfirmed) {
      if (tag > deliveryTag) break
      this.#unconfirmed.delete(tag)
      this.#bytes -= pending.bytes
      taken.push(pending)
    }
    return taken
  }

  #takeOne(deliveryTag: number): PendingMessage | undefined {
    const pending = this.#unconfirmed.get(deliveryTag)
    if (!pending) return undefined
    this.#unconfirmed.delete(deliveryTag)
    this.#bytes -= pending.bytes
    return pending
  }
}
