import { hostname } from 'node:os'
import type { WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { headerBytes } from '../../header-bytes.js'
import { header, sortHeaders } from '../../headers.js'
import { findOrigin } from '../reading/find-origin.js'
import type { ForwardSettlement } from './decide-settlement.js'
import { truncateUtf8 } from './truncate-utf8.js'

export interface ForwardedFrom {
  queue: WorkQueueName
  message: ConsumeMessage
  headers: Readonly<Record<string, unknown>>
  publishedAt: Date
  /** The process that dead-letters the message, for `x-failed-by`. */
  workerName: string
}

const maxMessageBytes = 1_024
const maxStackBytes = 4 * 1_024
/** What is kept of one header of ours, its name included: room for a failure's message. */
const maxOurHeaderBytes = maxMessageBytes + 64

const ofEarlierLife: ReadonlySet<string> = new Set([
  header.attempts,
  header.progressAt,
  header.resumeAt,
  header.originalExchange,
  header.originalRoutingKey,
  header.originalExpiration,
  header.failureCode,
  header.failureMessage,
  header.failureStack,
  header.failedAt,
  header.failedBy,
  header.firstFailureCode,
  header.firstFailureMessage,
  header.firstFailureAt,
  header.headersLeftOut,
])

/**
 * The headers of the copy that goes to a retry or dead-letter queue: the publisher's own, where the message came from,
 * and what happened. `x-first-failure-*` is set once and kept. They may be more than can be sent.
 */
export function failureHeaders(from: ForwardedFrom, forward: ForwardSettlement, now: Date): Record<string, unknown> {
  const origin = findOrigin(from.queue, from.message, from.headers)
  const received = origin?.from === 'publisher' ? withoutEarlierLife(from.headers) : from.headers
  const headers: Record<string, unknown> = { ...withoutUnsendable(received), [header.attempts]: forward.attempts }
  if (origin) {
    headers[header.originalExchange] = origin.exchange
    headers[header.originalRoutingKey] = origin.routingKey
  }
  if (origin?.from === 'moved') {
    delete headers[header.progressAt]
    headers[header.firstFailureCode] ??= headers[header.failureCode]
    headers[header.firstFailureMessage] ??= headers[header.failureMessage]
    headers[header.firstFailureAt] ??= headers[header.failedAt]
    headers[header.replay] = from.publishedAt.toISOString()
  }
  // On a copy it would end the wait early, or empty the dead-letter queue.
  const { expiration } = from.message.properties
  if (expiration !== undefined) headers[header.originalExpiration] = expiration
  const text = truncateUtf8(String(forward.error.message), maxMessageBytes)
  // Somebody who was passed over may be left, and would never have a turn.
  if (forward.kind !== 'give-way') delete headers[header.resumeAt]
  // A worker that does not know this header would pass it on to another attempt.
  else headers[header.resumeAt] = `${forward.attempts} ${forward.error.resumeAt}`
  if (forward.kind === 'dead-letter') delete headers[header.progressAt]
  if (hasProgressed(forward)) headers[header.progressAt] = now.toISOString()
  if (forward.kind !== 'dead-letter') {
    // The next one to receive it must count its age from the same time, also if that is its first sight.
    headers[header.publishedAt] = from.publishedAt.toISOString()
    if (headers[header.replay] !== undefined) headers[header.replay] = from.publishedAt.toISOString()
    if (forward.kind === 'give-way') return headers
    headers[header.firstFailureCode] ??= forward.code
    headers[header.firstFailureMessage] ??= text
    headers[header.firstFailureAt] ??= now.toISOString()
    return headers
  }
  headers[header.failureCode] = forward.code
  headers[header.failureMessage] = text
  headers[header.failureStack] = truncateUtf8(String(forward.error.stack ?? ''), maxStackBytes)
  headers[header.failedAt] = now.toISOString()
  headers[header.failedBy] = `${from.workerName}@${hostname()}`
  return headers
}

function hasProgressed(forward: ForwardSettlement): boolean {
  if (forward.kind === 'give-way') return forward.error.hasProgressed
  return forward.kind === 'defer' && forward.hasProgressed === true
}

/** A publisher's words about failures that were none of ours are not passed on as if they were ours. */
function withoutEarlierLife(received: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(received).filter(([name]) => !ofEarlierLife.has(name)))
}

/** None of ours that is too large, or cannot be sent: each by itself, because they must arrive. */
function withoutUnsendable(received: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { ours, publishers } = sortHeaders(received)
  const sendable = Object.entries(ours).filter(([name, value]) => headerBytes({ [name]: value }) <= maxOurHeaderBytes)
  return { ...publishers, ...Object.fromEntries(sendable) }
}
