import {
  deadLetterExchange,
  deadLetterQueueName,
  realtimeExchange,
  type WorkQueueName,
  workQueueNames,
} from './names.js'
import { queuesOf } from './queues.js'
import type { WorkQueue } from './work-queues.js'
import { workQueues } from './work-queues.js'

/** What a user may do in the virtual host; regular expressions, by RabbitMQ (https://www.rabbitmq.com/docs/access-control). */
export interface BrokerUser {
  name: string
  /** What the management API lets it see. */
  tags: readonly string[]
  permissions: { configure: string; write: string; read: string }
  /** For exchanges that several parties use: with which routing keys it may publish, and with which binding keys bind. */
  topicPermissions: readonly { exchange: string; write: string; read: string }[]
}

const nothing = '^$'

const workerOf: Readonly<Record<WorkQueueName, string>> = {
  'chat.messages': 'chat-worker',
  'push.notifications': 'push-worker',
  'email.notifications': 'email-worker',
  'audit.events': 'audit-worker',
}

/**
 * One user for each worker, one for whoever publishes, one that only looks, one who replays, one that listens. Their
 * passwords are not part of the topology.
 */
export function createBrokerUsers(): BrokerUser[] {
  return [
    ...Object.values(workQueues).map(createWorkerUser),
    createPublisherUser(),
    createMonitoringUser(),
    createOperatorUser(),
    createRealtimeUser(),
  ]
}

/** Declares, binds and consumes what is its own, and dead-letters messages under its own name. */
function createWorkerUser(queue: WorkQueue): BrokerUser {
  // The queues, and the retry exchange.
  const own = `${toPattern(queue.name)}(\\..+)?`
  const live = queue.name === 'chat.messages' ? [realtimeExchange] : []
  return {
    name: workerOf[queue.name],
    tags: [],
    permissions: {
      configure: anyOf(own),
      // A binding takes write on the queue and read on the exchange.
      write: anyOf(own, toPattern(deadLetterExchange), ...live),
      read: anyOf(own, toPattern(queue.exchange), toPattern(deadLetterExchange)),
    },
    topicPermissions: [
      { exchange: queue.exchange, write: nothing, read: anyOf(toPattern(queue.bindingKey)) },
      // Rascal adds a key of its own, `<queue>.<key>`, and RabbitMQ 4.3 looks at it too.
      { exchange: deadLetterExchange, write: anyOf(own), read: anyOf(toPattern(queue.name)) },
    ],
  }
}

/** Publishes with the keys of the work queues, counts what is in them, and declares nothing. */
function createPublisherUser(): BrokerUser {
  const queues = Object.values(workQueues)
  const exchanges = [...new Set(queues.map(({ exchange }) => exchange))]
  // Since RabbitMQ 4.2.6 a user sees a queue's count only with some right on it. Write is harmless: publishing needs write
  // on the exchange, and binding also needs read on it.
  const counted = queues.flatMap(queuesOf).map(({ name }) => name)
  return {
    name: 'publisher',
    tags: [],
    permissions: { configure: nothing, write: anyOf(...[...exchanges, ...counted].map(toPattern)), read: nothing },
    topicPermissions: exchanges.map((exchange) => {
      const keys = queues.filter((queue) => queue.exchange === exchange).map(({ bindingKey }) => bindingKey)
      return { exchange, write: anyOf(...keys.map(toKeyPattern)), read: nothing }
    }),
  }
}

function createMonitoringUser(): BrokerUser {
  const permissions = { configure: nothing, write: nothing, read: nothing }
  return { name: 'monitoring', tags: ['monitoring'], permissions, topicPermissions: [] }
}

/** Takes from the dead-letter queues, and publishes as the publisher does. */
function createOperatorUser(): BrokerUser {
  const publisher = createPublisherUser()
  const read = anyOf(...workQueueNames.map((queue) => toPattern(deadLetterQueueName(queue))))
  return { ...publisher, name: 'operator', permissions: { ...publisher.permissions, read } }
}

/**
 * Binds a queue of its own to the live updates, and consumes it. The broker has made up that queue's name: it lets nobody
 * declare one that begins so.
 */
function createRealtimeUser(): BrokerUser {
  const own = 'amq\\.gen-.+'
  return {
    name: 'realtime',
    tags: [],
    permissions: { configure: anyOf(own), write: anyOf(own), read: anyOf(own, toPattern(realtimeExchange)) },
    topicPermissions: [{ exchange: realtimeExchange, write: nothing, read: '.*' }],
  }
}

/** The routing keys that a binding key takes; `*` is one word. */
function toKeyPattern(bindingKey: string): string {
  return toPattern(bindingKey).replaceAll('\\*', '[^.]+')
}

function anyOf(...patterns: string[]): string {
  return `^(${patterns.join('|')})$`
}

/** Dots and stars mean themselves. */
function toPattern(text: string): string {
  return text.replaceAll(/[.*]/g, '\\$&')
}
