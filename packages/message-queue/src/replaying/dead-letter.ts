import { migratingQueueName, retryExchangeName, type WorkQueueName } from '@mono/rascal-config'
import type { GetMessage } from 'amqplib'
import { toHeaderTime } from '../consuming/reading/to-header-time.js'
import { type FailureCode, failureCodes } from '../errors/failure-codes.js'
import { header } from '../headers.js'
import { type Death, findDeath } from './find-death.js'

/** A message that the broker itself dead-lettered has no failure code, only the broker's reason. */
export type DeadLetterCode = FailureCode | 'DELIVERY_LIMIT' | 'REJECTED' | 'UNKNOWN'

/** A message in a dead-letter queue, and what is known of how it got there. */
export interface DeadLetter {
  queue: WorkQueueName
  /** The `message_id` property; a publisher need not set it. */
  messageId: string | undefined
  /** `EXPIRED`, `DELIVERY_LIMIT` or `REJECTED` if the broker dead-lettered it; `UNKNOWN` if nothing tells. */
  code: DeadLetterCode
  /** Empty if the broker dead-lettered it. */
  reason: string
  /** Where it was published; undefined if nothing tells. */
  origin: { exchange: string; routingKey: string } | undefined
  /** When it was given up, as far as anything tells. */
  diedAt?: Date
  headers: Readonly<Record<string, unknown>>
  body: Buffer
}

const codeOfReason: Readonly<Record<string, DeadLetterCode>> = {
  expired: 'EXPIRED',
  delivery_limit: 'DELIVERY_LIMIT',
  rejected: 'REJECTED',
}

export function toDeadLetter(queue: WorkQueueName, { content, properties }: GetMessage): DeadLetter {
  const headers: Record<string, unknown> = properties.headers ?? {}
  const deaths = headers['x-death']
  const death = findDeath(deaths, queue) ?? findDeath(deaths, migratingQueueName(queue))
  const { messageId } = properties
  const diedAt = death ? death.at : toHeaderTime(headers[header.failedAt])
  return {
    queue,
    messageId: typeof messageId === 'string' && messageId !== '' ? messageId : undefined,
    code: findCode(headers, death),
    reason: String(headers[header.failureMessage] ?? ''),
    origin: findOrigin(queue, headers, death),
    ...(diedAt && { diedAt }),
    headers,
    body: content,
  }
}

/** What a worker dead-letters has no `x-death`; where there is one, a failure is of an earlier life, or the publisher's. */
function findCode(headers: Record<string, unknown>, death: Death | undefined): DeadLetterCode {
  if (death) return codeOfReason[death.reason] ?? 'UNKNOWN'
  const code = headers[header.failureCode]
  return failureCodes.find((known) => known === code) ?? 'UNKNOWN'
}

/**
 * The broker knows where a message came from, but for one that came back from a retry: there our own headers do, which a
 * publisher could have set on any other, to have somebody publish for it where it may not.
 */
function findOrigin(queue: WorkQueueName, headers: Record<string, unknown>, death: Death | undefined) {
  if (death && death.exchange !== retryExchangeName(queue) && death.exchange !== '') {
    return { exchange: death.exchange, routingKey: death.routingKey }
  }
  const exchange = headers[header.originalExchange]
  const routingKey = headers[header.originalRoutingKey]
  return typeof exchange === 'string' && typeof routingKey === 'string' ? { exchange, routingKey } : undefined
}
