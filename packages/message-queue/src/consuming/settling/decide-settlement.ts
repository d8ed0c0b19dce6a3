import type { RetryStep, WorkQueue } from '@mono/rascal-config'
import type { FailureCode } from '../../errors/failure-codes.js'
import type { Failure } from './classify-failure.js'

/** A copy is sent elsewhere, and the original acknowledged when the copy is confirmed. */
export type ForwardSettlement =
  | { kind: 'retry' | 'defer'; step: RetryStep; code: FailureCode; error: Error; attempts: number }
  | { kind: 'dead-letter'; code: FailureCode; error: Error; attempts: number }

/** The one thing that is done with a delivery. */
export type Settlement =
  | { kind: 'ack' }
  /** Back to the queue for any consumer, as if it had not been delivered. */
  | { kind: 'return' }
  | ForwardSettlement

export interface DeliveryFacts {
  queue: WorkQueue
  /** 1 for the first time that the work is tried. */
  attempt: number
  ageMs: number
  /** A failure of this try is not retried. */
  isLastTry?: boolean
}

/**
 * - A retry counts as an attempt; the n-th failure waits for the n-th step; after the last attempt it is dead-lettered.
 * - A deferral leaves the count as it was and ends when the message is older than the queue's TTL.
 * - A message that has expired was not tried.
 */
export function decideSettlement(
  failure: Failure,
  { queue, attempt, ageMs, isLastTry = false }: DeliveryFacts,
): Settlement {
  const { kind, code, error } = failure
  const attemptsBefore = attempt - 1
  if (code === 'EXPIRED') return { kind: 'dead-letter', code, error, attempts: attemptsBefore }
  if (kind === 'defer') {
    if (ageMs > queue.ttlMs) return { kind: 'dead-letter', code: 'EXPIRED', error, attempts: attemptsBefore }
    return { kind, step: stepForDelay(queue, failure.delayMs ?? 0), code, error, attempts: attemptsBefore }
  }
  const step = queue.retrySteps[Math.min(attempt, queue.retrySteps.length) - 1]
  if (kind === 'dead-letter' || isLastTry || attempt >= queue.maxAttempts || step === undefined) {
    return { kind: 'dead-letter', code, error, attempts: attempt }
  }
  return { kind, step, code, error, attempts: attempt }
}

/** The shortest step that is long enough, else the longest. */
function stepForDelay(queue: WorkQueue, delayMs: number): RetryStep {
  const step = queue.retrySteps.find((candidate) => candidate.delayMs >= delayMs) ?? queue.retrySteps.at(-1)
  if (step === undefined) throw new Error(`Expected ${queue.name} to have a retry step, found none.`)
  return step
}
