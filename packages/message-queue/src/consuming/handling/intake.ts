import type { ReceivedMessage } from '../reading/received-message.js'
import type { Delivery } from '../receiving/delivery.js'

/** A valid message, and the delivery that brought it. */
export interface Held {
  delivery: Delivery
  message: ReceivedMessage
}

/** The outcome of a handler for one message: `failure` holds the thrown value, if there is one. */
export interface Handled {
  handlerMs: number
  failure?: {
    thrown: unknown
    /** It is that of a whole batch, and says nothing about this message in particular. */
    isShared?: boolean
  }
}

/** How messages reach the handler: one by one, or in batches. Reports each message exactly once. */
export interface Intake {
  /** How many messages the handler takes at a time, at most. */
  readonly size: number
  take(held: Held): void
  /** Nothing more will be taken: messages that wait for company go on now. */
  flush(): void
  /** Gives back the messages that have not reached the handler, and now must not. */
  discard(): Held[]
}

export interface IntakeOptions {
  /** In milliseconds; see `ConsumeOptions`. */
  handlerTimeoutMs: number
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
  /** See `MessageContext`. */
  othersMayWait(): boolean
  onHandled(held: Held, handled: Handled): void
}
