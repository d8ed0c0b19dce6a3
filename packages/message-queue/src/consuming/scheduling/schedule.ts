import type { DeferError } from '../../errors/handler-errors.js'
import type { Handled, Held } from '../handling/intake.js'
import type { Delivery } from '../receiving/delivery.js'
import type { PrefetchMode } from '../receiving/delivery-turns.js'

/**
 * When each delivery of a consumer is read and handled, and what is done with those that wait. This is all that differs
 * between a queue whose consumers compete and one that keeps its order.
 */
export interface Schedule {
  readonly mode: PrefetchMode
  /** Deliveries to take at a time now; 0: none. */
  readonly prefetch: number
  take(delivery: Delivery): void
  /** Begins no work until `resume`. Another reason takes the place of the first. */
  pause(reason: DeferError): void
  resume(): void
  /** The channel is lost: the broker gives its deliveries to somebody else, so what is not begun must not be begun here too. */
  lose(loss: Loss): void
  /** Takes no more. Resolves when what can be done with what it has is done. */
  drain(): Promise<void>
  /** Begins nothing more. The handlers' signal is aborted. */
  abort(): void
}

export interface Loss {
  /** The connection ended over a frame that nobody can read. */
  isUnreadable: boolean
}

/** The steps that a schedule leads its deliveries through. */
export interface DeliverySteps {
  /** @returns what can be handled; or, if it cannot be trusted or has expired, a promise that resolves when it is settled */
  read(delivery: Delivery): Held | Promise<void>
  /** By what its handler did. Never rejects. */
  settle(held: Held, handled: Handled, options?: { isLastTry: boolean }): Promise<void>
  /** Milliseconds until a failed message is to be tried again with its delivery in hand; undefined: it is to be settled. */
  keep(held: Held, handled: Handled, options: { isLastTry: boolean }): number | undefined
  /** Never rejects. */
  defer(delivery: Delivery, reason: DeferError): Promise<void>
  /** Dead-letters what no handler may see. Never rejects. */
  deadLetter(delivery: Delivery, reason: Error): Promise<void>
  /** Gives it back to the queue; if it is lost, the broker has done that already. Never rejects. */
  return(delivery: Delivery): Promise<void>
  /** Everything that is received and not yet settled, in the order of delivery. */
  inFlight(): ReadonlySet<Delivery>
  /** Resolves when nothing is in flight. */
  whenIdle(): Promise<void>
  /** Deliveries to take at a time from now on. */
  setPrefetch(prefetch: number): void
}
