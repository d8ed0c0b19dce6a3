import { hasRetryQueues } from './has-retry-queues.js'
import { deadLetterExchange, realtimeExchange, retryQueueName, vhostName, workQueueNames } from './names.js'
import { renderTopologyDiagram } from './render-topology-diagram.js'
import type { RetryStep } from './retry.js'
import { toHumanDuration, toHumanNumber } from './to-human-units.js'
import type { QueueDefinition, Topology } from './topology-types.js'
import { workQueues } from './work-queues.js'

/** The topology as a Markdown page for people. The same topology always gives the same text. */
export function renderTopologyPage(topology: Topology): string {
  const sections = [
    '# Topology',
    'Generated from `packages/rascal-config` by `npm run generate`. Change the data there, not this page.',
    `Everything lives in the virtual host \`${vhostName}\`. Exchanges and queues are durable. The same topology, as a ` +
      'file that a broker imports, is `docker/rabbitmq/definitions.json`.',
    '## Diagram',
    `\`\`\`mermaid\n${renderTopologyDiagram(topology)}\n\`\`\``,
    'Hexagons are exchanges, cylinders are queues. A label on a solid arrow is the binding key, or what the worker ' +
      'sends that way. Dotted arrows are what a queue dead-letters: a retry queue when the delay is over, a work queue ' +
      `when a message expires or kills its consumers too often, through the exchange \`${deadLetterExchange}\`. ` +
      'The worker sends its own dead letters through the same exchange.',
    '## Exchanges',
    renderExchanges(topology),
    `No queue is bound to \`${realtimeExchange}\`: subscribers bring their own. Its routing keys are ` +
      '`chat.<tenantId>.<conversationId>`, with `. * # / + %` percent-encoded in the conversation id.',
    '## Queues',
    renderQueues(topology),
    'Every queue that dead-letters does so at least once (`x-dead-letter-strategy: at-least-once`), and refuses the ' +
      'publisher when it is full instead of dropping its oldest message (`x-overflow: reject-publish`). RabbitMQ refuses ' +
      'to declare an existing queue with other arguments; the exact ones are in `docker/rabbitmq/definitions.json`.',
    '## Retry plans',
    renderRetryPlans(),
    'A message that fails waits in the retry queue of its next step, then returns to its work queue with the routing ' +
      'key `work`. After the last attempt it goes to the dead-letter queue. A message with many recipients that has been ' +
      'served in part gives way to others: it comes back for the rest at the end of its work queue, and no attempt is counted.',
    '## Order',
    renderOrder(),
  ]
  return `${sections.join('\n\n')}\n`
}

function renderExchanges(topology: Topology): string {
  const rows = topology.exchanges.map(({ name, type }) => {
    const targets = topology.bindings
      .filter(({ source }) => source === name)
      .map(({ bindingKey, destination }) => `${code(bindingKey)} → ${code(destination)}`)
    return [code(name), type, targets.length === 0 ? 'none' : targets.join('<br>')]
  })
  return renderTable(['exchange', 'type', 'binding key → queue'], rows)
}

function renderQueues(topology: Topology): string {
  const rows = topology.queues.map(({ name, arguments: found }) => [
    code(name),
    found['x-queue-type'],
    found['x-message-ttl'] === undefined ? 'none' : toHumanDuration(found['x-message-ttl']),
    found['x-max-length'] === undefined ? 'none' : toHumanNumber(found['x-max-length']),
    found['x-delivery-limit'] === undefined ? 'none' : toHumanNumber(found['x-delivery-limit']),
    renderDeadLettering(found),
  ])
  return renderTable(['queue', 'type', 'TTL', 'max length', 'delivery limit', 'dead-letters to'], rows)
}

function renderDeadLettering(found: QueueDefinition['arguments']): string {
  const exchange = found['x-dead-letter-exchange']
  const routingKey = found['x-dead-letter-routing-key']
  return exchange === undefined ? 'nowhere' : `${code(exchange)} with ${code(routingKey ?? '')}`
}

function renderRetryPlans(): string {
  const rows = workQueueNames.map((name) => {
    const { giveWayStep, maxAttempts, order, retrySteps } = workQueues[name]
    const whereOf = (step: RetryStep) =>
      hasRetryQueues({ order }) ? `in ${code(retryQueueName(name, step.name))}` : 'in hand'
    const steps = retrySteps.map((step) => `${toHumanDuration(step.delayMs)} ${whereOf(step)}`)
    const givesWay = giveWayStep ? `${toHumanDuration(giveWayStep.delayMs)} ${whereOf(giveWayStep)}` : 'never'
    return [code(name), String(maxAttempts), steps.join('<br>'), givesWay]
  })
  return renderTable(['work queue', 'attempts', 'waits between them', 'gives way to others'], rows)
}

function renderOrder(): string {
  const strict = workQueueNames.filter((name) => workQueues[name].order === 'strict').map(code)
  return (
    `${strict.join(' and ')} keeps its order. The broker delivers to one active consumer (\`x-single-active-consumer\`), ` +
    'and to the next when that is gone. It has no retry exchange and no retry queues, because a copy that comes back ' +
    'from one would be stored behind its successors: the consumer keeps the delivery in hand instead, and holds back ' +
    'only the messages of the same conversation. RabbitMQ cannot switch this on at a queue that exists.'
  )
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
