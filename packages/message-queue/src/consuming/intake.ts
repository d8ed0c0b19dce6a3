import type { WorkQueueName } from '@mono/rascal-config'
import type { Delivery } from './delivery.js'
import type { ReceivedMessage } from './received-message.js'

/** A valid message, and the delivery that brought it. */
export interface Held<Q extends WorkQueueName> {
  delivery: Delivery
  message: ReceivedMessage<Q>
}

/** What a handler did with a message: `failure` is what it threw, if it did. */
export interface Handled {
  handlerMs: number
  failure?: { thrown: unknown }
}

/** How messages reach the handler: one by one, or in batches. Reports each message exactly once. */
export interface Intake<Q extends WorkQueueName> {
  take(held: Held<Q>): void
  /** Nothing more will be taken: what waits for company goes on now. */
  flush(): void
  /** What has not reached the handler by now must not: it is given back. */
  discard(): Held<Q>[]
}

export interface IntakeOptions<Q extends WorkQueueName> {
  /** In milliseconds; see `ConsumeOptions`. */
  handlerTimeoutMs: number
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
  onHandled(held: Held<Q>, handled: Handled): void
}
