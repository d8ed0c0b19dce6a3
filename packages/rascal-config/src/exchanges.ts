import { deadLetterExchange, realtimeExchange, retryExchangeName } from './names.js'
import type { ExchangeDefinition } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'

/**
 * Exchanges that several parties use and one work queue needs. A worker whose broker user may not configure them
 * checks that they exist instead of declaring them.
 */
export function sharedExchangesOf(queue: WorkQueue): ExchangeDefinition[] {
  const names = [queue.exchange, deadLetterExchange]
  // Only the chat worker publishes live updates.
  if (queue.name === 'chat.messages') names.push(realtimeExchange)
  return names.map(topicExchange)
}

/** The exchange that only this queue's worker uses. */
export function retryExchangeOf(queue: WorkQueue): ExchangeDefinition {
  return topicExchange(retryExchangeName(queue.name))
}

function topicExchange(name: string): ExchangeDefinition {
  return { name, type: 'topic', durable: true, arguments: {} }
}
