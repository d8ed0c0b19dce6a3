import { hostname } from 'node:os'
import { retryExchangeName, type WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { headerBytes } from '../../header-bytes.js'
import { header, maxHeaderBytes, sortHeaders } from '../../headers.js'
import type { ForwardSettlement } from './decide-settlement.js'

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

/**
 * The headers of the copy that goes to a retry or dead-letter queue: the publisher's own, where the message came from,
 * and what happened. `x-first-failure-*` is set once and kept.
 */
export function failureHeaders(from: ForwardedFrom, forward: ForwardSettlement, now: Date): Record<string, unknown> {
  const { exchange, routingKey } = from.message.fields
  const headers: Record<string, unknown> = {
    ...sendableHeaders(from.headers),
    [header.attempts]: forward.attempts,
  }
  if (exchange !== retryExchangeName(from.queue)) {
    headers[header.originalExchange] = exchange
    headers[header.originalRoutingKey] = routingKey
  }
  // On a copy it would end the wait early, or empty the dead-letter queue.
  const { expiration } = from.message.properties
  if (expiration !== undefined) headers[header.originalExpiration] = expiration
  const text = truncateUtf8(String(forward.error.message), maxMessageBytes)
  if (forward.kind !== 'dead-letter') {
    // The next one to receive it must count its age from the same time, also if that is its first sight.
    headers[header.publishedAt] = from.publishedAt.toISOString()
    if (headers[header.replay] !== undefined) headers[header.replay] = from.publishedAt.toISOString()
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

/** The publisher's own headers all or none; ours each by itself, because they must arrive. */
function sendableHeaders(received: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { ours, publishers } = sortHeaders(received)
  const sendable = Object.entries(ours).filter(([name, value]) => headerBytes({ [name]: value }) <= maxOurHeaderBytes)
  return { ...(headerBytes(publishers) <= maxHeaderBytes && publishers), ...Object.fromEntries(sendable) }
}

function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  // A character cut in half decodes to U+FFFD.
  return bytes
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD$/u, '')
}
