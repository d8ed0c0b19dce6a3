import { MessageQueueError } from '@mono/contracts'
import type { FailureCode } from './failure-codes.js'

export interface HandlerErrorOptions extends ErrorOptions {
  /** Default `UNCLASSIFIED`. */
  code?: FailureCode
}

export interface DeferErrorOptions extends HandlerErrorOptions {
  /** How long to wait, in milliseconds. Default and upper bound: the queue's shortest and longest retry step. */
  delayMs?: number
  /** A part of the work was done: the age at which the message expires counts from now. Default false. */
  hasProgressed?: boolean
}

/**
 * Thrown by a handler when the work was tried and failed in a way that may pass.
 * The delivery is retried by the queue's plan (`x-attempts` + 1) and dead-lettered after the last attempt.
 */
export class RetryableError extends MessageQueueError {
  override readonly name = 'RetryableError'
  readonly code: FailureCode

  constructor(message: string, { code = 'UNCLASSIFIED', ...options }: HandlerErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/** Thrown by a handler when trying again cannot help. The delivery is dead-lettered at once. */
export class PermanentError extends MessageQueueError {
  override readonly name = 'PermanentError'
  readonly code: FailureCode

  constructor(message: string, { code = 'UNCLASSIFIED', ...options }: HandlerErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/**
 * Thrown by a handler when nothing was tried and it is not this message's fault: a dependency is away,
 * another process holds the lease, the provider asked to wait. The delivery comes back after the delay with
 * `x-attempts` unchanged; this ends when the message is older than its queue's TTL (`EXPIRED`).
 */
export class DeferError extends MessageQueueError {
  override readonly name = 'DeferError'
  readonly code: FailureCode
  readonly delayMs: number | undefined
  readonly hasProgressed: boolean

  constructor(message: string, options: DeferErrorOptions = {}) {
    const { code = 'UNCLASSIFIED', delayMs, hasProgressed = false, ...rest } = options
    super(message, rest)
    this.code = code
    this.delayMs = delayMs
    this.hasProgressed = hasProgressed
  }
}

export interface GiveWayErrorOptions extends ErrorOptions {
  /** Where the handler goes on when the message comes back, in words of its own: 1 to 64 ASCII characters. */
  resumeAt: string
  /** The age at which the message expires counts from now. */
  hasProgressed: boolean
}

/**
 * Thrown by a handler that has done its share of the work, and lets other messages go first: no failure. The delivery comes
 * back at the end of its queue with `x-attempts` unchanged. Only of queues with a `giveWayStep`.
 */
export class GiveWayError extends MessageQueueError {
  override readonly name = 'GiveWayError'
  readonly code = 'GIVES_WAY'
  /** As `ReceivedMessage.resumeAt` will be. */
  readonly resumeAt: string
  readonly hasProgressed: boolean

  constructor(message: string, { resumeAt, hasProgressed, ...options }: GiveWayErrorOptions) {
    super(message, options)
    this.resumeAt = resumeAt
    this.hasProgressed = hasProgressed
  }
}
