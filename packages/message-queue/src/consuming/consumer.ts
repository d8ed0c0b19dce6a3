import type { WorkQueueName } from '@mono/rascal-config'
import type { IntakeMode } from './caution.js'

/**
 * - `connecting`: waiting for the broker, or between losing it and consuming again
 * - `consuming`: the broker has this consumer registered
 * - `draining`: takes no more, finishes what it holds
 * - `stopped`: holds nothing and has no connection
 * - `failed`: cannot go on without a person, see `failure`
 */
export type ConsumerState = 'connecting' | 'consuming' | 'draining' | 'stopped' | 'failed'

export interface Consumer {
  readonly queue: WorkQueueName
  readonly state: ConsumerState
  /** How many deliveries it takes at a time, and why. */
  readonly mode: IntakeMode
  /** Deliveries in hand: received and not yet settled. */
  readonly inFlight: number
  /** Set in state `failed`. */
  readonly failure: Error | undefined
  /** Resolves at `stopped`; rejects with the failure at `failed`. */
  readonly stopped: Promise<void>
  /** Takes no more, finishes what is in hand, disconnects. Waits as long as the handlers do; `close()` ends that. */
  drain(): Promise<void>
  /** Disconnects now: aborts the handlers' signal and hands back what is not settled. */
  close(): Promise<void>
}
