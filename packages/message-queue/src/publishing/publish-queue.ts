import type { PendingMessage, PendingMessageQueue } from './pending-message.js'

/**
 * Messages that wait to be sent, first in, first out. A linked list, because deadlines and abort signals take messages
 * out of the middle, and must free their bodies at once while the broker is away and nothing is taken from the head.
 */
export class PublishQueue implements PendingMessageQueue {
  #first: PendingMessage | undefined
  #last: PendingMessage | undefined
  #size = 0
  #bytes = 0

  get size(): number {
    return this.#size
  }

  get first(): PendingMessage | undefined {
    return this.#first
  }

  /** The bodies only. */
  get bytes(): number {
    return this.#bytes
  }

  push(pending: PendingMessage): void {
    this.#insert(pending, this.#last, undefined)
  }

  unshift(pending: PendingMessage): void {
    this.#insert(pending, undefined, this.#first)
  }

  /** Puts them before all others and keeps their order. */
  unshiftAll(pendings: readonly PendingMessage[]): void {
    for (let index = pendings.length - 1; index >= 0; index--) this.unshift(pendings[index] as PendingMessage)
  }

  shift(): PendingMessage | undefined {
    const first = this.#first
    if (first) this.remove(first)
    return first
  }

  remove(pending: PendingMessage): void {
    if (pending.queue !== this) return
    if (pending.previous) pending.previous.next = pending.next
    else this.#first = pending.next
    if (pending.next) pending.next.previous = pending.previous
    else this.#last = pending.previous
    pending.queue = undefined
    pending.previous = undefined
    pending.next = undefined
    this.#size -= 1
    this.#bytes -= pending.bytes
  }

  /** From the head on. The message just given may be removed meanwhile. */
  *[Symbol.iterator](): Generator<PendingMessage> {
    for (let pending = this.#first; pending; ) {
      const { next } = pending
      yield pending
      pending = next
    }
  }

  #insert(pending: PendingMessage, previous: PendingMessage | undefined, next: PendingMessage | undefined): void {
    pending.queue = this
    pending.previous = previous
    pending.next = next
    if (previous) previous.next = pending
    else this.#first = pending
    if (next) next.previous = pending
    else this.#last = pending
    this.#size += 1
    this.#bytes += pending.bytes
  }
}
