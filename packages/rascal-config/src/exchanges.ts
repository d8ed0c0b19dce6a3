import { hasRetryQueues } from './has-retry-queues.js'
import { deadLetterExchange, realtimeExchange, retryExchangeName, sharedExchanges } from './names.js'
import type { ExchangeDefinition } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'

/** The exchanges that several parties use. */
export function createSharedExchanges(): ExchangeDefinition[] {
  return sharedExchanges.map(topicExchange)
}

/**
 * The shared exchanges that the worker of this queue uses. If its broker user may not configure them, it checks that
 * they exist instead of declaring them.
 */
export function sharedExchangesOf(queue: WorkQueue): ExchangeDefinition[] {
  const used = new Set([queue.exchange, deadLetterExchange])
  // Only the chat worker publishes live updates.
  if (queue.name === 'chat.messages') used.add(realtimeExchange)
  return createSharedExchanges().filter(({ name }) => used.has(name))
}

/** The exchange that only this queue's worker uses, if it has retry queues. */
export function retryExchangesOf(queue: WorkQueue): ExchangeDefinition[] {
  return hasRetryQueues(queue) ? [topicExchange(retryExchangeName(queue.name))] : []
}

function topicExchange(name: string): ExchangeDefinition {
  return { name, type: 'topic', durable: true, arguments: {} }
}
