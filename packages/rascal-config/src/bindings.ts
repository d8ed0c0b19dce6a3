import {
  deadLetterExchange,
  deadLetterQueueName,
  retryExchangeName,
  retryQueueName,
  returnRoutingKey,
} from './names.js'
import type { BindingDefinition } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'

/** All bindings of one work queue: in, to its retry queues, back from them, and out to its dead-letter queue. */
export function bindingsOf(queue: WorkQueue): BindingDefinition[] {
  const retryExchange = retryExchangeName(queue.name)
  return [
    { source: queue.exchange, destination: queue.name, bindingKey: queue.bindingKey },
    ...queue.retrySteps.map((step) => ({
      source: retryExchange,
      destination: retryQueueName(queue.name, step.name),
      bindingKey: step.name,
    })),
    { source: retryExchange, destination: queue.name, bindingKey: returnRoutingKey },
    { source: deadLetterExchange, destination: deadLetterQueueName(queue.name), bindingKey: queue.name },
  ]
}
