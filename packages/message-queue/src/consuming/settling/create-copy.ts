import type { ConsumeMessage } from 'amqplib'
import type { Delivery } from '../receiving/delivery.js'
import type { ForwardSettlement } from './decide-settlement.js'
import { failureHeaders } from './failure-headers.js'

/** Where a message is forwarded from. */
export interface CopyOrigin {
  workerName: string
  publishedAt: Date
}

/**
 * The copy of a message that is retried, deferred or dead-lettered: its body, the properties that can be sent, and the
 * headers that say what happened. Rascal copies all of it as it is and reads its own header, so a foreign one is left out
 * and `originalQueue` is the only thing in it.
 */
export function createCopy(delivery: Delivery, settlement: ForwardSettlement, origin: CopyOrigin): ConsumeMessage {
  const { queue, message, headers } = delivery
  const unsendable = Object.entries(message.properties).filter(([, value]) => !isSendable(value))
  const copied = failureHeaders({ queue, message, headers, ...origin }, settlement, new Date())
  return {
    ...message,
    properties: {
      ...message.properties,
      ...Object.fromEntries(unsendable.map(([name]) => [name, undefined])),
      headers: { ...copied, rascal: { originalQueue: queue } },
      // It would end the wait early, or empty the dead-letter queue.
      expiration: undefined,
      // The broker refuses a user id other than that of the connection (RabbitMQ: validated user-id).
      userId: undefined,
    },
  }
}

/** Not all that amqplib decodes can it encode again: bytes that are not UTF-8 grow, and a number is rounded up. */
function isSendable(property: unknown): boolean {
  if (typeof property === 'string') return Buffer.byteLength(property) < 2 ** 8
  return typeof property !== 'number' || property < 2 ** 64
}
