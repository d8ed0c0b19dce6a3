import { retryExchangeName, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { header } from '../../headers.js'
import { findDeath } from '../../replaying/find-death.js'
import { toHeaderTime } from './to-header-time.js'

type Headers = Readonly<Record<string, unknown>>

export interface Routing {
  exchange: string
  routingKey: string
}

/** Says where a message came from before this delivery. */
export interface Origin extends Routing {
  /**
   * - `publisher`: nothing; it was just published
   * - `retry`: it comes back from a retry
   * - `moved`: it was a dead letter, and somebody has put it into its queue again by hand: a shovel, or the management page
   */
  from: 'publisher' | 'retry' | 'moved'
  /** When a moved message was given up, if anything tells: the same at each of its deliveries. */
  diedAt?: Date
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
  // The broker's time is whole seconds, cut off: what was recorded within the last one was recorded before, too.
  const diedAt = moved.at ? new Date(moved.at.getTime() + 1_000) : toHeaderTime(headers[header.failedAt])
  return { exchange: moved.exchange, routingKey: moved.routingKey, from: 'moved', ...(diedAt && { diedAt }) }
}

/** The broker's word first: what it has dead-lettered itself has the headers that its publisher wrote. */
function findMoved(queue: WorkQueueName, headers: Headers): (Routing & { at?: Date }) | undefined {
  const own = workQueues[queue].exchange
  return [findDeath(headers['x-death'], queue), readStated(headers)].find((routing) => routing?.exchange === own)
}

function readStated(headers: Headers): Routing | undefined {
  const exchange = headers[header.originalExchange]
  const routingKey = headers[header.originalRoutingKey]
  return typeof exchange === 'string' && typeof routingKey === 'string' ? { exchange, routingKey } : undefined
}
