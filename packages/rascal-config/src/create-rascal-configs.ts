import type { BrokerConfig, VhostConfig } from './broker-config.js'
import type { ConnectionOptions } from './connections.js'
import { createConnections } from './connections.js'
import type { ExchangeDuty } from './declarations.js'
import { toBindingConfigs, toExchangeConfigs, toQueueConfigs } from './declarations.js'
import type { WorkQueueName } from './names.js'
import { retryExchangeName } from './names.js'
import { createForwardPublications } from './publications.js'
import { topologyOf } from './topology.js'
import { workQueues } from './work-queues.js'

/** `declare`: all that the worker uses. `check`: only its own, while shared exchanges must exist already. */
export type TopologyMode = 'declare' | 'check'

export interface TopologyConfigOptions extends ConnectionOptions {
  queue: WorkQueueName
  topologyMode: TopologyMode
}

export interface ForwardConfigOptions extends ConnectionOptions {
  queue: WorkQueueName
  /** Copies that may wait for their confirm at once: each holds a channel until then. */
  maxChannels: number
}

/**
 * Rascal's configuration for declaring what the worker of this queue uses. Rascal completes the object in place, so each
 * call makes a fresh one.
 *
 * @throws Error if `urls` is empty; BrokerUrlError
 */
export function createTopologyConfig(options: TopologyConfigOptions): BrokerConfig {
  const topology = topologyOf(options.queue)
  const ownExchange = retryExchangeName(options.queue)
  const sharedDuty: ExchangeDuty = options.topologyMode
  return toBrokerConfig({
    ...createConnections(options),
    exchanges: toExchangeConfigs(topology.exchanges, ({ name }) => (name === ownExchange ? 'declare' : sharedDuty)),
    queues: toQueueConfigs(topology.queues),
    bindings: toBindingConfigs(topology.bindings),
    publications: {},
  })
}

/**
 * Rascal's configuration for the copies by which a message is retried, deferred or dead-lettered. It declares nothing.
 * Copies have a connection of their own: a memory alarm stops a publishing connection altogether, and on the consuming
 * one it would stop the acks too. A fresh object each time, as above.
 *
 * @throws Error if `urls` is empty; BrokerUrlError
 */
export function createForwardConfig(options: ForwardConfigOptions): BrokerConfig {
  const publications = createForwardPublications(workQueues[options.queue])
  const used = new Set(Object.values(publications).map((publication) => publication.exchange))
  const exchanges = topologyOf(options.queue).exchanges.filter((exchange) => used.has(exchange.name))
  return toBrokerConfig({
    ...createConnections(options),
    // A copy that waits for a channel waits for the confirms of others; there is no time after which it should fail.
    // No timer that closes idle channels: it would go on when the connection is lost, and keep all of it in memory.
    publicationChannelPools: {
      confirmPool: { max: options.maxChannels, acquireTimeoutMillis: 0, evictionRunIntervalMillis: 0 },
    },
    exchanges: toExchangeConfigs(exchanges, () => 'know'),
    queues: {},
    bindings: {},
    publications,
  })
}

/** Rascal's name for the connection: it goes to the virtual host in the path of its URL. */
function toBrokerConfig(vhost: VhostConfig): BrokerConfig {
  return { vhosts: { worker: vhost } }
}
