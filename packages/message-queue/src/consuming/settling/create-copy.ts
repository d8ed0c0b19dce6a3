import type { ConsumeMessage } from 'amqplib'
import { contentHeaderBytes } from '../../content-header-bytes.js'
import { headerBytes } from '../../header-bytes.js'
import type { Delivery } from '../receiving/delivery.js'
import type { ForwardSettlement } from './decide-settlement.js'
import { failureHeaders } from './failure-headers.js'
import { fitHeaders } from './fit-headers.js'

/** Where a message is forwarded from. */
export interface CopyOrigin {
  workerName: string
  publishedAt: Date
}

/** RabbitMQ and amqplib take no more, see `maxHeaderBytes`. */
const maxCopiedHeaderBytes = 63 * 1024

/**
 * The copy of a message that is retried, deferred, dead-lettered or gives way: its body, the properties that can be sent, and the
 * headers that say what happened. Rascal copies all of it as it is and reads its own header, so a foreign one is left out
 * and `originalQueue` is the only thing in it.
 */
export function createCopy(delivery: Delivery, settlement: ForwardSettlement, origin: CopyOrigin): ConsumeMessage {
  const { queue, message, headers } = delivery
  const unsendable = Object.entries(message.properties).filter(([, value]) => !isSendable(value))
  const properties = {
    ...message.properties,
    ...Object.fromEntries(unsendable.map(([name]) => [name, undefined])),
    headers: undefined,
    // It would end the wait early, or empty the dead-letter queue.
    expiration: undefined,
    // The broker refuses a user id other than that of the connection (RabbitMQ: validated user-id).
    userId: undefined,
  }
  const all = failureHeaders({ queue, message, headers, ...origin }, settlement, new Date())
  const room = delivery.maxFrameBytes - contentHeaderBytes(properties) - rascalsBytes(delivery)
  const copied = fitHeaders(all, Math.min(room, maxCopiedHeaderBytes))
  return { ...message, properties: { ...properties, headers: { ...copied, rascal: { originalQueue: queue } } } }
}

/** At most what rascal adds: where the message was received, and a routing key, which is the queue's name or shorter. */
function rascalsBytes({ queue, message: { fields } }: Delivery): number {
  const { exchange: originalExchange, routingKey: originalRoutingKey } = fields
  const rascal = { originalQueue: queue, originalExchange, originalRoutingKey, restoreRoutingHeaders: false }
  return headerBytes({ rascal, CC: [`${queue}.${queue}`] })
}

/** Not all that amqplib decodes can it encode again: bytes that are not UTF-8 grow, and a number is rounded up. */
function isSendable(property: unknown): boolean {
  if (typeof property === 'string') return Buffer.byteLength(property) < 2 ** 8
  return typeof property !== 'number' || property < 2 ** 64
}
