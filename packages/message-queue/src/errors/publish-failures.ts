import { InvalidMessageError, type MessageIssue, type MessageType } from '@mono/contracts'
import { wordsOf } from '../connection/words-of.js'
import { contentHeaderBytes } from '../content-header-bytes.js'
import type { OutgoingMessage } from '../publishing/outgoing-message.js'
import type { PendingMessage } from '../publishing/pending-message.js'
import {
  PublishForbiddenError,
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  type UnavailableReason,
  UnroutableMessageError,
} from './publish-errors.js'

/** For a message that was never given to a channel. */
export function createNotSentError(
  message: OutgoingMessage,
  { reason, why, cause }: { reason: UnavailableReason; why: string; cause?: Error | undefined },
): Error {
  const { messageId } = message.properties
  return new QueueUnavailableError(`${nameOf(message)} for exchange '${message.exchange}' was not published: ${why}.`, {
    reason,
    messageId,
    ...(cause && { cause }),
  })
}

/** For a message that was given to a channel. */
export function createUnknownOutcomeError({ message }: PendingMessage, why: string, cause?: Error | undefined): Error {
  return new PublishTimeoutError(
    `${nameOf(message)} was sent to exchange '${message.exchange}', but ${why}: it may have arrived. ` +
      'It is safe to publish it again with the same messageId.',
    { messageId: message.properties.messageId, ...(cause && { cause }) },
  )
}

export function createMissingExchangeError(pending: PendingMessage, vhost: string, cause: Error): Error {
  const { message } = pending
  const what = `exchange '${message.exchange}' does not exist in vhost '${vhost}'`
  if (pending.sent) return createUnknownOutcomeError(pending, `${what} any more`, cause)
  return new UnroutableMessageError(
    `${nameOf(message)} was not published: ${what}. ` +
      'Start the worker that declares it, or load the definitions into the broker; then publish again.',
    { ...fieldsOf(message), cause },
  )
}

export function createReturnedError(pending: PendingMessage, vhost: string, replyText: string): Error {
  const { message } = pending
  if (pending.sentBefore) return createUnknownOutcomeError(pending, `the copy sent again was returned (${replyText})`)
  return new UnroutableMessageError(
    `${nameOf(message)} was returned by the broker (${replyText}): no queue is bound to exchange ` +
      `'${message.exchange}' in vhost '${vhost}' with routing key '${message.routingKey}'. ` +
      'Start the worker that binds it, or load the definitions into the broker; then publish again.',
    fieldsOf(message),
  )
}

export function createRefusedError(pending: PendingMessage): Error {
  const { message } = pending
  if (pending.sentBefore) return createUnknownOutcomeError(pending, 'the copy sent again was refused')
  return new QueueFullError(
    `${nameOf(message)} was refused by the broker: a queue bound to exchange '${message.exchange}' with routing key ` +
      `'${message.routingKey}' is full or cannot store it. Publish again when its worker has caught up.`,
    { messageId: message.properties.messageId },
  )
}

/** For a message whose channel the broker has closed because its user may not publish it. */
export function createForbiddenError(pending: PendingMessage, user: string, cause: Error): Error {
  const { message } = pending
  const words = wordsOf(cause)
  if (pending.sent) return createUnknownOutcomeError(pending, `the copy sent again was refused (${words})`, cause)
  return new PublishForbiddenError(
    `${nameOf(message)} was not accepted: user '${user}' may not publish to exchange '${message.exchange}' with routing ` +
      `key '${message.routingKey}' (${words}). Do not publish it again before the right is granted.`,
    { ...fieldsOf(message), user, cause },
  )
}

/** For a message that the broker does not take for what it is. */
export function createUnacceptableError(pending: PendingMessage, cause: Error): Error {
  const reason = `expected what the broker takes, found: ${wordsOf(cause)}`
  return createInvalidUnlessSent(pending, { path: 'properties', reason }, cause)
}

/** For a message that is larger than the broker's `max_message_size`. */
export function createTooLargeError(pending: PendingMessage, maxBytes: number, cause: Error): Error {
  const { length } = pending.message.body
  const reason = `expected at most ${maxBytes} bytes, as the broker is set, found ${length}`
  return createInvalidUnlessSent(pending, { path: 'body', reason }, cause)
}

/** For a message that amqplib cannot write; nothing of it was sent. */
export function createUnencodableError({ message }: PendingMessage, cause: Error): Error {
  const reason = `expected strings of at most 255 bytes and headers of at most 64 KiB in all, found: ${cause.message}`
  return createInvalidError(message, { path: 'properties', reason }, cause)
}

/** For a message whose properties and headers do not fit into a frame of this connection; nothing of it was sent. */
export function createNoFrameError(pending: PendingMessage, maxFrameBytes: number): Error {
  const bytes = contentHeaderBytes({ ...pending.message.properties })
  const found = Number.isFinite(bytes) ? `up to ${bytes}` : 'some that cannot be sent'
  const reason = `expected properties and headers that fit into one frame of ${maxFrameBytes} bytes, as is agreed with the broker, found ${found}`
  if (pending.sent) return createUnknownOutcomeError(pending, `it cannot be sent again: ${reason}`)
  return createInvalidError(pending.message, { path: 'properties', reason })
}

function createInvalidUnlessSent(pending: PendingMessage, issue: MessageIssue, cause: Error): Error {
  if (!pending.sent) return createInvalidError(pending.message, issue, cause)
  return createUnknownOutcomeError(pending, `the copy sent again was refused (${wordsOf(cause)})`, cause)
}

function createInvalidError({ properties }: OutgoingMessage, issue: MessageIssue, cause?: Error): Error {
  const type = properties.type as MessageType // what the client publishes always has one
  return Object.assign(new InvalidMessageError(type, [issue]), cause && { cause })
}

function fieldsOf({ exchange, routingKey, properties }: OutgoingMessage) {
  return { exchange, routingKey, messageId: properties.messageId }
}

function nameOf({ properties: { messageId } }: OutgoingMessage): string {
  return messageId === undefined ? 'A message without an id' : `Message ${messageId}`
}
