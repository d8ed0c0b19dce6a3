import type { RetryStep, WorkQueue } from '@mono/rascal-config'
import type { FailureCode } from '../../errors/failure-codes.js'
import type { GiveWayError } from '../../errors/handler-errors.js'
import type { Failure, GivingWay } from './classify-failure.js'

/** A copy is sent elsewhere, and the original acknowledged when the copy is confirmed. */
export type ForwardSettlement =
  | { kind: 'retry'; step: RetryStep; code: FailureCode; error: Error; attempts: number }
  | { kind: 'defer'; step: RetryStep; code: FailureCode; error: Error; attempts: number; hasProgressed?: boolean }
  /** Behind the others of its queue. */
  | { kind: 'give-way'; step: RetryStep; error: GiveWayError; attempts: number }
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
 * - A deferral leaves the count as it was and ends when the message is older than the queue's TTL, see `ageOf`.
 * - Giving way leaves the count as it was, and is no failure. It ends as a deferral does.
 * - A message that has expired was not tried.
 */
export function decideSettlement(
  failure: Failure | GivingWay,
  { queue, attempt, ageMs, isLastTry = false }: DeliveryFacts,
): Settlement {
  const attemptsBefore = attempt - 1
  if (failure.kind === 'give-way') {
    const { error } = failure
    const isExpired = ageMs > queue.ttlMs && !error.hasProgressed
    if (isExpired) return { kind: 'dead-letter', code: 'EXPIRED', error, attempts: attemptsBefore }
    const step = queue.giveWayStep
    if (step === undefined) return { kind: 'dead-letter', code: 'HANDLER_BUG', error, attempts: attempt }
    return { kind: 'give-way', step, error, attempts: attemptsBefore }
  }
  const { kind, code, error } = failure
  if (code === 'EXPIRED') return { kind: 'dead-letter', code, error, attempts: attemptsBefore }
  if (kind === 'defer') {
    const { delayMs = 0, hasProgressed = false } = failure
    const isExpired = ageMs > queue.ttlMs && !hasProgressed
    if (isExpired) return { kind: 'dead-letter', code: 'EXPIRED', error, attempts: attemptsBefore }
    const step = stepForDelay(queue, delayMs)
    return { kind, step, code, error, attempts: attemptsBefore, ...(hasProgressed && { hasProgressed }) }
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
