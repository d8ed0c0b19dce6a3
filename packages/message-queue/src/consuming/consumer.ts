import type { WorkQueueName } from '@mono/rascal-config'
import type { DeferError } from '../errors/handler-errors.js'
import type { PrefetchMode } from './receiving/delivery-turns.js'

/**
 * - `connecting`: waiting for the broker, or between losing it and consuming again
 * - `consuming`: the broker has this consumer registered
 * - `standby`: the same, at a queue that keeps its order, and nothing has been delivered to it: another consumer is the
 *   active one, or no message has come yet. It is as ready as the other.
 * - `paused`: was told to take nothing; keeps its connection, finishes what it holds
 * - `draining`: takes no more, finishes what it holds
 * - `stopped`: holds nothing and has no connection
 * - `failed`: cannot go on without a person, see `failure`
 */
export type ConsumerState = 'connecting' | 'consuming' | 'standby' | 'paused' | 'draining' | 'stopped' | 'failed'

export interface Consumer {
  readonly queue: WorkQueueName
  readonly state: ConsumerState
  /** How many deliveries it takes at a time, and why. */
  readonly mode: PrefetchMode
  /** Deliveries that are received and not yet settled. */
  readonly inFlight: number
  /** How often it has begun again because messages waited and none was delivered, or the broker did not register it. */
  readonly stalls: number
  /** The broker delivers to it: of a queue that keeps its order, since its first delivery; of others, while it is registered. */
  readonly isActive: boolean
  /** Set in state `failed`. */
  readonly failure: Error | undefined
  /** Resolves at `stopped`; rejects with the failure at `failed`. */
  readonly stopped: Promise<void>
  /** Calls the listener at every change of the state from now on. @returns a function that ends that */
  onState(listener: (state: ConsumerState) => void): () => void
  /**
   * Takes nothing until `resume`. Handlers that are at work go on; deliveries that have not reached theirs, and those that
   * the broker has sent already, are deferred with this error, until another call gives another. Of a queue that keeps its
   * order they stay in hand. Without effect on a consumer that is to end.
   */
  pause(reason: DeferError): void
  /** Takes one at a time until one has been dealt with, then as many as the prefetch admits; or goes on with what is in hand. */
  resume(): void
  /** Takes no more, finishes what is in flight, disconnects. Waits as long as the handlers do; `close()` ends that. */
  drain(): Promise<void>
  /** Disconnects now: aborts the handlers' signal and gives back what is not settled. */
  close(): Promise<void>
}
