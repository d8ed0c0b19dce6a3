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
    policies: [
      ...Object.values(workQueues)
        .filter(({ name }) => names.has(name))
        .map(toBytesPolicy),
      browserQueuesPolicy,
    ].map(renderPolicy),
  }
  return `${JSON.stringify(definitions, null, 2)}\n`
}

interface Policy {
  name: string
  pattern: string
  definition: Record<string, number>
}

function toBytesPolicy({ name, maxLengthBytes }: WorkQueue): Policy {
  const pattern = `^${name.replaceAll('.', '\\.')}$`
  return { name: `${name}.bytes`, pattern, definition: { 'max-length-bytes': maxLengthBytes } }
}

/**
 * The queues that RabbitMQ makes for browsers (https://www.rabbitmq.com/docs/mqtt). Before RabbitMQ 4 a slow reader has one
 * that grows; its oldest messages go, and the browser loads what it misses. Where the token of a browser reaches the AMQP
 * port, it may declare a queue under its user's name, which is deleted when nobody consumes it.
 */
const browserQueuesPolicy: Policy = {
  name: 'realtime.browsers',
  pattern: '^mqtt-subscription-',
  definition: { 'max-length': 1000, expires: 60_000 },
}

/** Its priority is the lowest, so that one of the operator's own replaces it. */
function renderPolicy(policy: Policy): object {
  return { vhost: vhostName, 'apply-to': 'queues', priority: 0, ...policy }
}
