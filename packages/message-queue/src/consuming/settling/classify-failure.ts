import { InvalidMessageError } from '@mono/contracts'
import type { FailureCode } from '../../errors/failure-codes.js'
import { DeferError, GiveWayError, PermanentError, RetryableError } from '../../errors/handler-errors.js'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'

/** What a thrown value means for the delivery it concerns. */
export interface Failure {
  kind: 'retry' | 'defer' | 'dead-letter'
  code: FailureCode
  error: Error
  /** Only of a deferral: the delay asked for. */
  delayMs?: number | undefined
  /** Only of a deferral: a part of the work was done before. */
  hasProgressed?: boolean
}

/** The handler has done its share, and lets others go first. */
export interface GivingWay {
  kind: 'give-way'
  error: GiveWayError
}

/** Errors that the program makes, not the world: the next attempt would make them again. */
const programmingErrors = [TypeError, ReferenceError, RangeError, SyntaxError, EvalError, URIError]

export function classifyThrown(thrown: unknown): Failure | GivingWay {
  return thrown instanceof GiveWayError ? { kind: 'give-way', error: thrown } : classifyFailure(thrown)
}

export function classifyFailure(thrown: unknown): Failure {
  if (thrown instanceof RetryableError) return { kind: 'retry', code: thrown.code, error: thrown }
  if (thrown instanceof PermanentError) return { kind: 'dead-letter', code: thrown.code, error: thrown }
  if (thrown instanceof DeferError) {
    const { code, delayMs, hasProgressed } = thrown
    return { kind: 'defer', code, error: thrown, delayMs, hasProgressed }
  }
  if (thrown instanceof InvalidDeliveryError) return { kind: 'dead-letter', code: thrown.code, error: thrown }
  if (thrown instanceof InvalidMessageError) return { kind: 'dead-letter', code: 'INVALID_MESSAGE', error: thrown }
  const error = toThrownError(thrown)
  if (isProgrammingError(error)) return { kind: 'dead-letter', code: 'HANDLER_BUG', error }
  return { kind: 'retry', code: 'UNCLASSIFIED', error }
}

function isProgrammingError(error: Error): boolean {
  if (isNetworkFailure(error)) return false
  return programmingErrors.some((type) => error instanceof type)
}

/** For a network that fails, before the answer or in the middle of it, `fetch` throws a `TypeError` with a cause. */
function isNetworkFailure({ message, cause }: Error): boolean {
  return (message === 'fetch failed' || message === 'terminated') && cause !== undefined
}

function toThrownError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`expected an Error, but ${thrown === null ? 'null' : typeof thrown} was thrown`, { cause: thrown })
}
