import { vhostName } from './names.js'
import type { Topology } from './topology-types.js'
import { type WorkQueue, workQueues } from './work-queues.js'

/**
 * The topology as a definitions file that RabbitMQ imports at boot or through its management API: no users, passwords
 * or permissions. The same topology always gives the same text.
 */
export function renderDefinitions(topology: Topology): string {
  const names = new Set(topology.queues.map(({ name }) => name))
  const definitions = {
    vhosts: [{ name: vhostName }],
    exchanges: topology.exchanges.map((exchange) => ({
      name: exchange.name,
      vhost: vhostName,
      type: exchange.type,
      durable: exchange.durable,
      auto_delete: false,
      internal: false,
      arguments: exchange.arguments,
    })),
    queues: topology.queues.map((queue) => ({
      name: queue.name,
      vhost: vhostName,
      durable: queue.durable,
      auto_delete: false,
      arguments: queue.arguments,
    })),
    bindings: topology.bindings.map((binding) => ({
      source: binding.source,
      vhost: vhostName,
      destination: binding.destination,
      destination_type: 'queue',
      routing_key: binding.bindingKey,
      arguments: {},
    })),
    policies: Object.values(workQueues)
      .filter(({ name }) => names.has(name))
      .map(renderPolicy),
  }
  return `${JSON.stringify(definitions, null, 2)}\n`
}

/** Its priority is the lowest, so that one of the operator's own replaces it. */
function renderPolicy({ name, maxLengthBytes }: WorkQueue): object {
  return {
    vhost: vhostName,
    name: `${name}.bytes`,
    pattern: `^${name.replaceAll('.', '\\.')}$`,
    'apply-to': 'queues',
    definition: { 'max-length-bytes': maxLengthBytes },
    priority: 0,
  }
}
