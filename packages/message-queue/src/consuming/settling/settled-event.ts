import type { MessageType } from '@mono/contracts'
import type { WorkQueueName } from '@mono/rascal-config'
import type { FailureCode } from '../../errors/failure-codes.js'

/** The outcome of one delivery, or of one try of a delivery that is kept. */
export interface SettledEvent {
  queue: WorkQueueName
  /** Absent when the delivery was not read, or could not be read that far. */
  type?: MessageType
  /**
   * - `gave-way`: a part of the work is done, and the message comes back for the rest (see `GiveWayError`)
   * - `returned`: given back to the queue, or its channel was gone before it could be settled
   */
  outcome: 'acked' | 'retried' | 'deferred' | 'gave-way' | 'dead-lettered' | 'returned'
  code?: FailureCode
  /** 1 for the first time that the work was tried. */
  attempt: number
  /** How long the handler had the message; 0 if no handler saw it. */
  handlerMs: number
  /** From the publisher's clock to this one's. Absent when the publisher gave no time. */
  sincePublishedMs?: number
  /**
   * The delivery was not settled: its queue keeps its order, so that it stays in hand until it is tried again. The outcome
   * is `retried` or `deferred`, and another event follows.
   */
  isInHand?: true
}
