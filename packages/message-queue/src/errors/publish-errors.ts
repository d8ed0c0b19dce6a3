import { MessageQueueError } from '@mono/contracts'

export interface PublishErrorOptions extends ErrorOptions {
  messageId?: string | undefined
}

/**
 * - `deadline`: it could not be sent before its deadline
 * - `buffer-full`: the limit of messages or bytes that wait to be sent was reached
 * - `closed`: the client is draining or closed
 */
export type UnavailableReason = 'deadline' | 'buffer-full' | 'closed'

export interface QueueUnavailableErrorOptions extends PublishErrorOptions {
  reason: UnavailableReason
}

/** Certainly not published: the message never left this process. Publish it again when `reason` has passed. */
export class QueueUnavailableError extends MessageQueueError {
  override readonly name = 'QueueUnavailableError'
  readonly code = 'QUEUE_UNAVAILABLE'
  readonly reason: UnavailableReason
  readonly messageId: string | undefined

  constructor(message: string, { reason, messageId, ...options }: QueueUnavailableErrorOptions) {
    super(message, options)
    this.reason = reason
    this.messageId = messageId
  }
}

/** The broker refused the message (`basic.nack`): a queue it is bound for is at its length limit, or cannot store it. */
export class QueueFullError extends MessageQueueError {
  override readonly name = 'QueueFullError'
  readonly code = 'QUEUE_FULL'
  readonly messageId: string | undefined

  constructor(message: string, { messageId, ...options }: PublishErrorOptions = {}) {
    super(message, options)
    this.messageId = messageId
  }
}

export interface PublishForbiddenErrorOptions extends PublishErrorOptions {
  exchange: string
  routingKey: string
  user: string
}

/**
 * Certainly not published: the broker's user may not write to this exchange, or not with this routing key. Publishing it
 * again fails again until somebody grants the right.
 */
export class PublishForbiddenError extends MessageQueueError {
  override readonly name = 'PublishForbiddenError'
  readonly code = 'PUBLISH_FORBIDDEN'
  readonly exchange: string
  readonly routingKey: string
  readonly user: string
  readonly messageId: string | undefined

  constructor(message: string, { exchange, routingKey, user, messageId, ...options }: PublishForbiddenErrorOptions) {
    super(message, options)
    this.exchange = exchange
    this.routingKey = routingKey
    this.user = user
    this.messageId = messageId
  }
}

export interface UnroutableMessageErrorOptions extends PublishErrorOptions {
  exchange: string
  routingKey: string
}

/** In no queue: the exchange does not exist, or no queue is bound to it with the routing key. */
export class UnroutableMessageError extends MessageQueueError {
  override readonly name = 'UnroutableMessageError'
  readonly code = 'UNROUTABLE'
  readonly exchange: string
  readonly routingKey: string
  readonly messageId: string | undefined

  constructor(message: string, { exchange, routingKey, messageId, ...options }: UnroutableMessageErrorOptions) {
    super(message, options)
    this.exchange = exchange
    this.routingKey = routingKey
    this.messageId = messageId
  }
}

/**
 * Outcome unknown: the message was sent and the answer did not come, so it may be in the queue.
 * It is safe to publish it again with the same `messageId`.
 */
export class PublishTimeoutError extends MessageQueueError {
  override readonly name = 'PublishTimeoutError'
  readonly code = 'PUBLISH_TIMEOUT'
  readonly messageId: string | undefined

  constructor(message: string, { messageId, ...options }: PublishErrorOptions = {}) {
    super(message, options)
    this.messageId = messageId
  }
}
