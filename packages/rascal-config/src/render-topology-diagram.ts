import { matchesBindingKey } from './matches-binding-key.js'
import type { WorkQueueName } from './names.js'
import { deadLetterExchange, realtimeExchange, retryExchangeName, workQueueNames } from './names.js'
import { toHumanDuration } from './to-human-units.js'
import type { QueueDefinition, Topology } from './topology-types.js'

/**
 * A Mermaid flowchart, one subgraph per worker. The dead-letter exchange is drawn as the arrow that passes through it:
 * as a node it would tie all workers into one knot.
 */
export function renderTopologyDiagram(topology: Topology): string {
  const workers = workQueueNames.filter((name) => topology.queues.some((queue) => queue.name === name))
  const retryExchanges = new Set(workers.map(retryExchangeName))
  const shared = topology.exchanges.filter(({ name }) => name !== deadLetterExchange && !retryExchanges.has(name))
  const lines = [
    'flowchart LR',
    ...shared.map(({ name }) => exchangeNode(name)),
    ...workers.flatMap((name) => renderWorker(topology, name)),
    ...topology.bindings
      .filter(({ source }) => shared.some(({ name }) => name === source))
      .map(({ source, bindingKey, destination }) => arrow(exchangeId(source), bindingKey, queueId(destination))),
    ...(shared.some(({ name }) => name === realtimeExchange)
      ? [arrow(queueId('chat.messages'), 'stored messages', exchangeId(realtimeExchange))]
      : []),
  ]
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n')
}

function renderWorker(topology: Topology, worker: WorkQueueName): string[] {
  const own = topology.queues.filter(({ name }) => name === worker || name.startsWith(`${worker}.`))
  const body = [
    ...own.map(({ name }) => `${queueId(name)}[("${name}")]`),
    ...renderRetries(topology, worker),
    ...own.flatMap((queue) => deadLetterArrows(topology, queue)),
  ]
  return [`subgraph ${queueId(worker)}_worker ["${worker}"]`, ...body.map((line) => `  ${line}`), 'end']
}

/** Nothing for a queue that keeps its order: its consumer waits with the delivery in hand. */
function renderRetries(topology: Topology, worker: WorkQueueName): string[] {
  const exchange = retryExchangeName(worker)
  if (!topology.exchanges.some(({ name }) => name === exchange)) return []
  return [
    exchangeNode(exchange),
    arrow(queueId(worker), 'failed', exchangeId(exchange)),
    ...topology.bindings
      .filter(({ source }) => source === exchange)
      .map(({ bindingKey, destination }) => arrow(exchangeId(exchange), bindingKey, queueId(destination))),
  ]
}

/** From a retry queue to its exchange, and from a work queue past the exchange to the queue that keeps the message. */
function deadLetterArrows(topology: Topology, queue: QueueDefinition): string[] {
  const exchange = queue.arguments['x-dead-letter-exchange']
  const routingKey = queue.arguments['x-dead-letter-routing-key']
  if (exchange === undefined || routingKey === undefined) return []
  if (exchange !== deadLetterExchange) {
    const ttl = queue.arguments['x-message-ttl']
    const label = ttl === undefined ? routingKey : `after ${toHumanDuration(ttl)}`
    return [dottedArrow(queueId(queue.name), label, exchangeId(exchange))]
  }
  return topology.bindings
    .filter(({ source, bindingKey }) => source === exchange && matchesBindingKey(bindingKey, routingKey))
    .map(({ destination }) => dottedArrow(queueId(queue.name), exchange, queueId(destination)))
}

function exchangeNode(name: string): string {
  return `${exchangeId(name)}{{"${name}"}}`
}

function arrow(from: string, label: string, to: string): string {
  return `${from} -- "${label}" --> ${to}`
}

function dottedArrow(from: string, label: string, to: string): string {
  return `${from} -. "${label}" .-> ${to}`
}

/** Exchanges and queues may share a name; Mermaid's ids may not, and hold no dots. */
function exchangeId(name: string): string {
  return `exchange_${name.replaceAll(/\W/g, '_')}`
}

function queueId(name: string): string {
  return `queue_${name.replaceAll(/\W/g, '_')}`
}
