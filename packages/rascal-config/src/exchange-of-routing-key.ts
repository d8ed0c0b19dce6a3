import type { RoutingKey } from '@mono/contracts'
import { typeOfRoutingKey } from '@mono/contracts'
import { workQueueNames } from './names.js'
import { workQueues } from './work-queues.js'

/**
 * The exchange on which messages with this routing key are published.
 *
 * @throws Error if no work queue takes the routing key.
 */
export function exchangeOfRoutingKey(routingKey: RoutingKey): string {
  const type = typeOfRoutingKey(routingKey)
  for (const name of workQueueNames) {
    const queue = workQueues[name]
    if (type !== undefined && queue.messageTypes.includes(type)) return queue.exchange
  }
  throw new Error(
    `No work queue takes the routing key '${routingKey}'; use one of routingKeysByType in @mono/contracts.`,
  )
}
