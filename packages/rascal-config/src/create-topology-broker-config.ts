import type { BrokerConfig } from './broker-config.js'
import type { ConnectionOptions } from './connections.js'
import { createConnections } from './connections.js'
import { toBindingConfigs, toExchangeConfigs, toQueueConfigs } from './declarations.js'
import { connectionEntry } from './names.js'
import type { Topology } from './topology-types.js'

export interface TopologyBrokerOptions extends ConnectionOptions {
  topology: Topology
}

/**
 * Rascal's configuration for declaring all of a topology and nothing else. A fresh object each time.
 *
 * @throws Error if `urls` is empty or holds one that is not a broker URL.
 */
export function createTopologyBrokerConfig(options: TopologyBrokerOptions): BrokerConfig {
  return {
    vhosts: {
      [connectionEntry.topology]: {
        ...createConnections(options),
        exchanges: toExchangeConfigs(options.topology.exchanges, () => 'declare'),
        queues: toQueueConfigs(options.topology.queues),
        bindings: toBindingConfigs(options.topology.bindings),
        publications: {},
        subscriptions: {},
      },
    },
  }
}
