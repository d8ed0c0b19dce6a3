import type { MessageType } from '@mono/contracts'
import type { WorkQueueName } from './names.js'
import { auditExchange, messagesExchange, notificationsExchange } from './names.js'
import type { RetryPlan } from './retry.js'
import { retryPlans } from './retry.js'

/** A queue that a worker consumes, with everything that is particular to it. */
export interface WorkQueue extends RetryPlan {
  readonly name: WorkQueueName
  /** The exchange that publishers of these messages use. */
  readonly exchange: string
  /** The pattern by which the queue is bound to its exchange. */
  readonly bindingKey: string
  /** What may be in the queue; any other type is a permanent failure. */
  readonly messageTypes: readonly MessageType[]
  /** Milliseconds after which the broker dead-letters an unconsumed message. It starts anew on each pass. */
  readonly ttlMs: number
  /** Messages above which the broker refuses publishers. Quorum queues keep to it softly: a few more may get in. */
  readonly maxLength: number
  /**
   * Bytes of all bodies above which it refuses them too: with bodies of the largest size the length alone would allow more
   * than a broker's disk has. A policy of the broker, because RabbitMQ compares arguments with those of a queue that exists.
   */
  readonly maxLengthBytes: number
  /** Redeliveries after which the broker dead-letters a message that no consumer survives. */
  readonly deliveryLimit: number
  /**
   * - `none`: all consumers share the queue, and a message that is retried comes back behind others.
   * - `strict`: one consumer is active and the others stand by, so that messages are handled in the order in which the
   *   broker has confirmed them. A retry is waited for by the consumer, with the delivery in hand: a copy that went
   *   through a retry queue would come back behind its successors.
   */
  readonly order: 'none' | 'strict'
}

const second = 1000
const hour = 60 * 60 * second
const day = 24 * hour
const mebibyte = 1024 * 1024

/**
 * Ends a crash loop, and leaves room: messages that are in flight each time the process dies over another one are counted
 * with it.
 */
const deliveryLimit = 20

export const workQueues: Readonly<Record<WorkQueueName, WorkQueue>> = {
  'chat.messages': {
    name: 'chat.messages',
    exchange: messagesExchange,
    bindingKey: 'chat.*',
    messageTypes: ['chat.message'],
    ttlMs: 24 * hour,
    maxLength: 100_000,
    maxLengthBytes: 512 * mebibyte,
    deliveryLimit,
    order: 'strict',
    ...retryPlans['chat.messages'],
  },
  'push.notifications': {
    name: 'push.notifications',
    exchange: notificationsExchange,
    bindingKey: 'push.*',
    messageTypes: ['push.notification'],
    ttlMs: hour,
    maxLength: 50_000,
    maxLengthBytes: 256 * mebibyte,
    deliveryLimit,
    order: 'none',
    ...retryPlans['push.notifications'],
  },
  'email.notifications': {
    name: 'email.notifications',
    exchange: notificationsExchange,
    bindingKey: 'email.*',
    messageTypes: ['email.notification', 'email.message'],
    ttlMs: hour,
    maxLength: 25_000,
    maxLengthBytes: 512 * mebibyte,
    deliveryLimit,
    order: 'none',
    ...retryPlans['email.notifications'],
  },
  'audit.events': {
    name: 'audit.events',
    exchange: auditExchange,
    bindingKey: 'audit.*',
    messageTypes: ['audit.event'],
    ttlMs: 7 * day,
    maxLength: 500_000,
    maxLengthBytes: 1024 * mebibyte,
    deliveryLimit,
    order: 'none',
    ...retryPlans['audit.events'],
  },
}
