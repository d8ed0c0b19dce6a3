import { routingKeysByType } from '@mono/contracts'
import { matchesBindingKey } from './matches-binding-key.js'
import { deadLetterQueueName, retryQueueName, workQueueNames } from './names.js'
import { queuedSteps } from './queued-steps.js'
import type { QueueDefinition, Topology } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'
import { workQueues } from './work-queues.js'

/**
 * What would lose or strand messages in this topology, one sentence per fault; empty if it is sound.
 *
 * @param plans The work queues to expect. One that is missing from the topology altogether is no fault: a worker's
 * topology holds only its own.
 */
export function findTopologyFaults(
  topology: Topology,
  plans: readonly WorkQueue[] = workQueueNames.map((name) => workQueues[name]),
): string[] {
  const present = plans.filter((plan) => topology.queues.some((queue) => queue.name === plan.name))
  return [
    ...findRepeatedNames(topology),
    ...findLooseBindings(topology),
    ...topology.queues.flatMap((queue) => findDeadLetterFaults(topology, queue)),
    ...present.flatMap((plan) => [
      ...findMissingQueues(topology, plan),
      ...findUnroutableKeys(topology, plan),
      ...findPlanFaults(plan),
    ]),
  ]
}

function findRepeatedNames(topology: Topology): string[] {
  return [
    ...repeats(topology.exchanges.map(({ name }) => name)).map((name) => `Two exchanges are named alike: '${name}'.`),
    ...repeats(topology.queues.map(({ name }) => name)).map((name) => `Two queues are named alike: '${name}'.`),
  ]
}

/** Names that differ in case only are distinct for the broker and alike for its readers. */
function repeats(names: readonly string[]): string[] {
  const folded = names.map((name) => name.toLowerCase())
  return names.filter((_, index) => folded.indexOf(folded[index] ?? '') < index)
}

function findLooseBindings(topology: Topology): string[] {
  const exchanges = new Set(topology.exchanges.map(({ name }) => name))
  const queues = new Set(topology.queues.map(({ name }) => name))
  return topology.bindings.flatMap(({ source, bindingKey, destination }) => {
    const binding = `The binding '${source}' --(${bindingKey})--> '${destination}'`
    return [
      ...(exchanges.has(source) ? [] : [`${binding} comes from an exchange that does not exist.`]),
      ...(queues.has(destination) ? [] : [`${binding} goes to a queue that does not exist.`]),
    ]
  })
}

function findDeadLetterFaults(topology: Topology, queue: QueueDefinition): string[] {
  const exchange = queue.arguments['x-dead-letter-exchange']
  if (exchange === undefined) return []
  if (!topology.exchanges.some(({ name }) => name === exchange)) {
    return [`Queue '${queue.name}' dead-letters to exchange '${exchange}', which does not exist.`]
  }
  const faults: string[] = []
  const routingKey = queue.arguments['x-dead-letter-routing-key']
  if (routingKey === undefined) {
    faults.push(`Queue '${queue.name}' dead-letters to '${exchange}' without a routing key of its own.`)
  } else if (destinationsOf(topology, exchange, routingKey).length === 0) {
    faults.push(`Queue '${queue.name}' dead-letters to '${exchange}' with '${routingKey}', which leads to no queue.`)
  }
  if (queue.arguments['x-dead-letter-strategy'] !== 'at-least-once') {
    faults.push(`Queue '${queue.name}' dead-letters at most once: set x-dead-letter-strategy to at-least-once.`)
  }
  // The broker says nothing and falls back to at-most-once.
  if (queue.arguments['x-overflow'] !== 'reject-publish') {
    faults.push(`Queue '${queue.name}' cannot dead-letter at least once: set x-overflow to reject-publish.`)
  }
  return faults
}

function findMissingQueues(topology: Topology, plan: WorkQueue): string[] {
  const queues = new Map(topology.queues.map((queue) => [queue.name, queue]))
  const faults: string[] = []
  if (queues.get(plan.name)?.arguments['x-dead-letter-exchange'] === undefined) {
    faults.push(`Work queue '${plan.name}' dead-letters nowhere: set x-dead-letter-exchange.`)
  }
  const deadLetterQueue = deadLetterQueueName(plan.name)
  if (!queues.has(deadLetterQueue)) {
    faults.push(`Work queue '${plan.name}' has no dead-letter queue: '${deadLetterQueue}' does not exist.`)
  }
  if (plan.order === 'strict' && !queues.get(plan.name)?.arguments['x-single-active-consumer']) {
    faults.push(`Work queue '${plan.name}' cannot keep its order: set x-single-active-consumer.`)
  }
  for (const step of queuedSteps(plan)) {
    const name = retryQueueName(plan.name, step.name)
    const ttl = queues.get(name)?.arguments['x-message-ttl']
    if (!queues.has(name)) {
      faults.push(`Work queue '${plan.name}' has no retry queue for ${step.name}: '${name}' does not exist.`)
    } else if (ttl !== step.delayMs) {
      const found = ttl === undefined ? 'ever' : `${ttl} ms`
      faults.push(`Retry queue '${name}' holds messages for ${found}, expected ${step.delayMs} ms.`)
    }
  }
  return faults
}

function findUnroutableKeys(topology: Topology, plan: WorkQueue): string[] {
  const routingKeys = plan.messageTypes.flatMap((type): readonly string[] => routingKeysByType[type])
  return routingKeys.flatMap((routingKey) => {
    const destinations = destinationsOf(topology, plan.exchange, routingKey)
    if (destinations.length === 1 && destinations[0] === plan.name) return []
    const found = destinations.length === 0 ? 'no queue' : destinations.map((name) => `'${name}'`).join(' and ')
    return [`Routing key '${routingKey}' on '${plan.exchange}' leads to ${found}, expected '${plan.name}' alone.`]
  })
}

function findPlanFaults(plan: WorkQueue): string[] {
  const faults: string[] = []
  const { giveWayStep, retrySteps } = plan
  const delays = [...(giveWayStep ? [giveWayStep] : []), ...retrySteps].map(({ delayMs }) => delayMs)
  if (delays.some((delay, index) => delay <= (delays[index - 1] ?? 0))) {
    faults.push(`The steps of '${plan.name}' are ${delays.join(', ')} ms, expected ascending delays above 0.`)
  }
  if (plan.retrySteps.length < plan.maxAttempts - 1) {
    faults.push(
      `Work queue '${plan.name}' has ${plan.retrySteps.length} retry steps, ` +
        `expected at least ${plan.maxAttempts - 1} for ${plan.maxAttempts} attempts.`,
    )
  }
  return faults
}

function destinationsOf(topology: Topology, exchange: string, routingKey: string): string[] {
  const bindings = topology.bindings.filter(
    ({ source, bindingKey }) => source === exchange && matchesBindingKey(bindingKey, routingKey),
  )
  return [...new Set(bindings.map(({ destination }) => destination))]
}
