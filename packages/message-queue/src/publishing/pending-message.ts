import type { OutgoingMessage } from './outgoing-message.js'

/** A queue that a pending message can be taken out of wherever it stands. */
export interface PendingMessageQueue {
  remove(pending: PendingMessage): void
}

export interface PendingMessageCallbacks {
  resolve: () => void
  reject: (reason: unknown) => void
  onSettled: (pending: PendingMessage) => void
}

/**
 * A message from the call of `publish` until the broker has answered for it or its channel is gone.
 *
 * It is settled once, and at its deadline at the latest; but a message that is settled while in flight stays in the
 * window of its channel, because the broker still owes the confirm.
 */
export class PendingMessage {
  readonly message: OutgoingMessage
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number
  /** Was given to a channel, this one or an earlier one: from then on it may have arrived. */
  sent = false
  /** Was sent before, on a channel that went: that copy may have arrived, whatever becomes of this one. */
  sentBefore = false
  /** The broker has returned it on its present channel. */
  returned = false
  settled = false
  /**
   * It was in flight when the broker closed a channel over one message without saying which, and is sent by itself from
   * then on. Tells whether it had been sent before that: if it is the one, the copy on that channel was refused too.
   */
  suspect: { sentBefore: boolean } | undefined

  /** The links of the queue that holds it; only that queue writes them. */
  queue: PendingMessageQueue | undefined
  previous: PendingMessage | undefined
  next: PendingMessage | undefined

  readonly #callbacks: PendingMessageCallbacks

  constructor(message: OutgoingMessage, deadlineAt: number, callbacks: PendingMessageCallbacks) {
    this.message = message
    this.deadlineAt = deadlineAt
    this.#callbacks = callbacks
  }

  get messageId(): string | undefined {
    return this.message.properties.messageId
  }

  get bytes(): number {
    return this.message.body.length
  }

  /** The broker has ignored, or refused, the copy sent last. */
  forgetLastCopy(): void {
    this.sent = this.suspect?.sentBefore ?? this.sentBefore
  }

  resolve(): void {
    if (this.settled) return
    this.settled = true
    this.#callbacks.resolve()
    this.#callbacks.onSettled(this)
  }

  /** Takes it out of the queue, if it waits in one. */
  reject(reason: unknown): void {
    if (this.settled) return
    this.settled = true
    this.queue?.remove(this)
    this.#callbacks.reject(reason)
    this.#callbacks.onSettled(this)
  }
}
