import type { BrokerConfig, VhostConfig } from './broker-config.js'
import type { ConnectionOptions } from './connections.js'
import { createConnections } from './connections.js'
import type { ExchangeDuty } from './declarations.js'
import { toBindingConfigs, toExchangeConfigs, toQueueConfigs } from './declarations.js'
import type { WorkQueueName } from './names.js'
import { connectionEntry, retryExchangeName } from './names.js'
import { createRecoveryPublications } from './publications.js'
import { createSubscription } from './subscriptions.js'
import { topologyOf } from './topology.js'
import { workQueues } from './work-queues.js'

export interface WorkerBrokerOptions extends ConnectionOptions {
  queue: WorkQueueName
  /** Unacknowledged deliveries held at once, at least 1. */
  prefetch: number
  /** `declare`: all that the worker uses. `check`: only its own, while shared exchanges must exist already. */
  topologyMode: 'declare' | 'check'
}

/**
 * Rascal's configuration for a worker: a `work` connection that declares and consumes, and a `recovery` connection for
 * the copies of messages that are retried or given up. Rascal completes the object in place, so each call makes a fresh one.
 *
 * @throws Error if `urls` is empty or holds one that is not a broker URL, or `prefetch` is not a positive integer.
 */
export function createWorkerBrokerConfig(options: WorkerBrokerOptions): BrokerConfig {
  // Rascal takes 0 for "not given", which is no limit at all.
  if (!Number.isInteger(options.prefetch) || options.prefetch < 1 || options.prefetch > 65_535) {
    throw new Error(`Expected a prefetch from 1 to 65535, found ${options.prefetch}.`)
  }
  return {
    vhosts: {
      [connectionEntry.work]: createWorkEntry(options),
      [connectionEntry.recovery]: createRecoveryEntry(options),
    },
  }
}

function createWorkEntry(options: WorkerBrokerOptions): VhostConfig {
  const topology = topologyOf(options.queue)
  const ownExchange = retryExchangeName(options.queue)
  const sharedDuty: ExchangeDuty = options.topologyMode
  return {
    ...createConnections(options),
    exchanges: toExchangeConfigs(topology.exchanges, ({ name }) => (name === ownExchange ? 'declare' : sharedDuty)),
    queues: toQueueConfigs(topology.queues),
    bindings: toBindingConfigs(topology.bindings),
    publications: {},
    subscriptions: createSubscription(workQueues[options.queue], options.prefetch),
  }
}

/**
 * Copies have a connection of their own: a memory alarm stops a publishing connection altogether, and on the consuming
 * one it would stop the acks too. It declares nothing; the work entry stands before it and has done so.
 */
function createRecoveryEntry(options: WorkerBrokerOptions): VhostConfig {
  const publications = createRecoveryPublications(workQueues[options.queue])
  const used = new Set(Object.values(publications).map((publication) => publication.exchange))
  const exchanges = topologyOf(options.queue).exchanges.filter((exchange) => used.has(exchange.name))
  return {
    ...createConnections(options),
    // Each copy holds a channel until it is confirmed. A copy that waits for a channel must not time out: rascal would
    // nack its original into the dead-letter queue.
    publicationChannelPools: { confirmPool: { max: Math.min(options.prefetch, 20), acquireTimeoutMillis: 0 } },
    exchanges: toExchangeConfigs(exchanges, () => 'know'),
    queues: {},
    bindings: {},
    publications,
    subscriptions: {},
  }
}
