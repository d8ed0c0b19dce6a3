import { toHeaderTime } from '../consuming/reading/to-header-time.js'

/** One entry of `x-death` (RabbitMQ docs, dead letter exchanges): how a message left a queue. */
export interface Death {
  reason: string
  /** Where it had been published when it came to the queue. */
  exchange: string
  routingKey: string
  /** To the second. */
  at?: Date
}

/** How the message left this queue. `x-death` can be forged by a publisher, so that nothing in it is taken for granted. */
export function findDeath(deaths: unknown, queue: string): Death | undefined {
  if (!Array.isArray(deaths)) return undefined
  return deaths.filter(isRecord).flatMap((death) => toDeath(death, queue) ?? [])[0]
}

function toDeath(death: Record<string, unknown>, queue: string): Death | undefined {
  const { reason, exchange, 'routing-keys': routingKeys } = death
  const routingKey: unknown = Array.isArray(routingKeys) ? routingKeys[0] : undefined
  if (death.queue !== queue) return undefined
  if (typeof reason !== 'string' || typeof exchange !== 'string' || typeof routingKey !== 'string') return undefined
  const at = toHeaderTime(death.time)
  return { reason, exchange, routingKey, ...(at && { at }) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
