import {
  deadLetterExchange,
  deadLetterQueueName,
  migratingQueueName,
  retryExchangeName,
  retryQueueName,
  returnRoutingKey,
} from './names.js'
import { queuedSteps } from './queued-steps.js'
import type { RetryStep } from './retry.js'
import type { QueueDefinition } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'

/** The work queue itself, its retry queues by ascending delay if it has any, and its dead-letter queue. */
export function queuesOf(queue: WorkQueue): QueueDefinition[] {
  return [workQueue(queue), ...queuedSteps(queue).map((step) => retryQueue(queue, step)), deadLetterQueue(queue)]
}

/** The same as the work queue, under another name, so that what the broker dead-letters from it goes the same way. */
export function migratingQueueOf(queue: WorkQueue): QueueDefinition {
  return { ...workQueue(queue), name: migratingQueueName(queue.name) }
}

function workQueue(queue: WorkQueue): QueueDefinition {
  return {
    name: queue.name,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': queue.ttlMs,
      'x-max-length': queue.maxLength,
      // A full queue refuses the publisher; the default drops the oldest message. At-least-once dead-lettering needs it.
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': deadLetterExchange,
      'x-dead-letter-routing-key': queue.name,
      // The default is at most once: a broker that stops between the two queues loses the message.
      'x-dead-letter-strategy': 'at-least-once',
      'x-delivery-limit': queue.deliveryLimit,
      // RabbitMQ docs, single active consumer: cannot be switched on at a queue that exists, nor by a policy.
      ...(queue.order === 'strict' && { 'x-single-active-consumer': true }),
    },
  }
}

/**
 * Nobody consumes it: messages leave by expiring, back to the work queue. One constant TTL per queue, because a message
 * expires only at the head, so a longer TTL in front would hold up all behind it.
 */
function retryQueue(queue: WorkQueue, step: RetryStep): QueueDefinition {
  return {
    name: retryQueueName(queue.name, step.name),
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': step.delayMs,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': retryExchangeName(queue.name),
      'x-dead-letter-routing-key': returnRoutingKey,
      'x-dead-letter-strategy': 'at-least-once',
    },
  }
}

/**
 * More than anybody looks. RabbitMQ 4.0 to 4.2 drop a message that was looked at and put back 20 times; without a limit
 * of the queue's own that is their default, and 3.10 takes -1, their word for none, for a limit of no delivery at all.
 */
const deadLetterDeliveryLimit = 1_000_000

/** Without TTL and length limit: it is the last place a message can be, and somebody has to look at it. */
function deadLetterQueue(queue: WorkQueue): QueueDefinition {
  return {
    name: deadLetterQueueName(queue.name),
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': deadLetterDeliveryLimit },
  }
}
