import {
  deadLetterExchange,
  deadLetterQueueName,
  retryExchangeName,
  retryQueueName,
  returnRoutingKey,
} from './names.js'
import { queuedSteps } from './queued-steps.js'
import type { BindingDefinition } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'

/** All bindings of one work queue: in, to its retry queues, back from them, and out to its dead-letter queue. */
export function bindingsOf(queue: WorkQueue): BindingDefinition[] {
  return [
    { source: queue.exchange, destination: queue.name, bindingKey: queue.bindingKey },
    ...retryBindingsOf(queue),
    { source: deadLetterExchange, destination: deadLetterQueueName(queue.name), bindingKey: queue.name },
  ]
}

function retryBindingsOf(queue: WorkQueue): BindingDefinition[] {
  const steps = queuedSteps(queue)
  if (steps.length === 0) return []
  const { name } = queue
  const source = retryExchangeName(name)
  const out = steps.map((step) => ({
    source,
    destination: retryQueueName(name, step.name),
    bindingKey: step.name,
  }))
  return [...out, { source, destination: name, bindingKey: returnRoutingKey }]
}
