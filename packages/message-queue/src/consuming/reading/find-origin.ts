import { retryExchangeName, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { header } from '../../headers.js'
import { findDeath } from '../../replaying/find-death.js'

type Headers = Readonly<Record<string, unknown>>

export interface Routing {
  exchange: string
  routingKey: string
}

/** What a message was before this delivery. */
export interface Origin extends Routing {
  /**
   * - `publisher`: nothing; it was just published
   * - `retry`: it comes back from a retry
   * - `moved`: it was a dead letter, and somebody has put it into its queue again by hand: a shovel, or the management page
   */
  from: 'publisher' | 'retry' | 'moved'
}

/**
 * Where the message was published. A delivery names its last hop only, and headers are whatever their sender wrote, so
 * they are believed where only the broker and whoever may write to any queue can have put the message:
 *
 * - from the retry exchange of the queue
 * - from the default exchange, by the queue's name, and then only if they name the exchange that this queue is bound to
 *
 * @returns undefined if it comes from the retry exchange and says nothing
 */
export function findOrigin(queue: WorkQueueName, { fields }: ConsumeMessage, headers: Headers): Origin | undefined {
  const { exchange, routingKey } = fields
  if (exchange === retryExchangeName(queue)) {
    const stated = readStated(headers)
    return stated && { ...stated, from: 'retry' }
  }
  const moved = exchange === '' && routingKey === queue ? findMoved(queue, headers) : undefined
  if (!moved) return { exchange, routingKey, from: 'publisher' }
  return { exchange: moved.exchange, routingKey: moved.routingKey, from: 'moved' }
}

/** What the broker has dead-lettered itself has no headers of ours. */
function findMoved(queue: WorkQueueName, headers: Headers): Routing | undefined {
  const own = workQueues[queue].exchange
  return [readStated(headers), findDeath(headers['x-death'], queue)].find((routing) => routing?.exchange === own)
}

function readStated(headers: Headers): Routing | undefined {
  const exchange = headers[header.originalExchange]
  const routingKey = headers[header.originalRoutingKey]
  return typeof exchange === 'string' && typeof routingKey === 'string' ? { exchange, routingKey } : undefined
}
