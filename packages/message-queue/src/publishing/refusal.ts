import { wordsOf } from '../connection/words-of.js'
import { createForbiddenError, createTooLargeError, createUnacceptableError } from '../errors/publish-failures.js'
import type { OutgoingMessage } from './outgoing-message.js'
import type { PendingMessage } from './pending-message.js'

/** The broker's close of a channel as amqplib tells it: with the reply code, and the method that failed. */
export type ChannelFailure = Error & { code?: unknown; classId?: unknown; methodId?: unknown }

/** The broker does not take this from this user, and has closed a channel over it. */
export interface Refusal {
  cause: Error
  applies(message: OutgoingMessage): boolean
  createError(pending: PendingMessage): Error
}

export interface RefusalContext {
  exchange: string
  user: string
}

const basicPublish = { classId: 60, methodId: 40 }
const accessRefused = 403
const notFound = 404

/**
 * Whether the broker has closed the channel over a message for its own sake, and not because its exchange is gone. It
 * took those sent before that one and ignored those after it.
 */
export function isOverMessage({ code, classId, methodId }: ChannelFailure): boolean {
  return classId === basicPublish.classId && methodId === basicPublish.methodId && code !== notFound
}

/**
 * Reads from the broker's text what it does not take (RabbitMQ 3.10 to 4.3).
 *
 * @returns undefined if the text does not say: a plugin or another version has other words, and RabbitMQ cuts its text at
 * 255 bytes
 */
export function readRefusal(cause: ChannelFailure, { exchange, user }: RefusalContext): Refusal | undefined {
  const text = wordsOf(cause)
  const createError = (pending: PendingMessage) => createForbiddenError(pending, user, cause)
  if (
    text.includes(`access to exchange '${exchange}' in vhost`) ||
    text.includes('cannot publish to internal exchange')
  ) {
    return { cause, applies: () => true, createError }
  }
  if (text.includes("access to topic '")) {
    const applies = ({ routingKey }: OutgoingMessage) =>
      text.includes(`access to topic '${routingKey}' in exchange '${exchange}' in vhost`)
    return { cause, applies, createError }
  }
  const maxBytes = Number(/message size \d+ is larger than \D*(\d+)/.exec(text)?.[1])
  if (Number.isNaN(maxBytes)) return undefined
  return {
    cause,
    applies: ({ body }) => body.length > maxBytes,
    createError: (pending) => createTooLargeError(pending, maxBytes, cause),
  }
}

/** For a message that was alone on its channel, whatever the text says. */
export function toRefusalOf(refused: OutgoingMessage, cause: ChannelFailure, { user }: RefusalContext): Refusal {
  if (cause.code !== accessRefused) {
    return {
      cause,
      applies: (message) => message === refused,
      createError: (pending) => createUnacceptableError(pending, cause),
    }
  }
  return {
    cause,
    applies: ({ routingKey }) => routingKey === refused.routingKey,
    createError: (pending) => createForbiddenError(pending, user, cause),
  }
}
