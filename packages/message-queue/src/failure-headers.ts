import { hostname } from 'node:os'
import { retryExchangeName, type WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { Settlement } from './decide-settlement.js'
import { header, headerBytes, maxHeaderBytes } from './headers.js'

export interface ForwardedFrom {
  queue: WorkQueueName
  message: ConsumeMessage
  headers: Readonly<Record<string, unknown>>
  publishedAt: Date
  /** The process that gives the message up, for `x-failed-by`. */
  workerName: string
}

type Forward = Extract<Settlement, { kind: 'retry' | 'defer' | 'dead-letter' }>

const maxTextLength = 1_024
const maxStackBytes = 4 * 1_024
/** Of the publisher's headers, those that are kept when together they are too many to be sent on. */
const keptWhenTooLarge: readonly string[] = [...Object.values(header), 'traceparent', 'tracestate']

/**
 * The headers of the copy that goes to a retry or dead-letter queue: the publisher's own, where the message came from,
 * and what happened. `x-first-failure-*` is set once and kept.
 */
export function failureHeaders(from: ForwardedFrom, forward: Forward, now: Date): Record<string, unknown> {
  const { exchange, routingKey } = from.message.fields
  const headers: Record<string, unknown> = {
    ...publisherHeaders(from.headers),
    [header.attempts]: forward.attempts,
    [header.publishedAt]: from.headers[header.publishedAt] ?? from.publishedAt.toISOString(),
  }
  if (exchange !== retryExchangeName(from.queue)) {
    headers[header.originalExchange] = exchange
    headers[header.originalRoutingKey] = routingKey
  }
  // On a copy it would end the wait early, or empty the dead-letter queue.
  const { expiration } = from.message.properties
  if (expiration !== undefined) headers[header.originalExpiration] = expiration
  const text = forward.error.message.slice(0, maxTextLength)
  if (forward.kind !== 'dead-letter') {
    headers[header.firstFailureCode] ??= forward.code
    headers[header.firstFailureMessage] ??= text
    headers[header.firstFailureAt] ??= now.toISOString()
    return headers
  }
  headers[header.failureCode] = forward.code
  headers[header.failureMessage] = text
  headers[header.failureStack] = truncateUtf8(forward.error.stack ?? '', maxStackBytes)
  headers[header.failedAt] = now.toISOString()
  headers[header.failedBy] = `${from.workerName}@${hostname()}`
  return headers
}

/** Without what the broker and rascal set, and without the routing keys that it has been delivered by already. */
function publisherHeaders(received: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tooLarge = headerBytes(received) > maxHeaderBytes
  const kept = Object.entries(received).filter(([name, value]) => {
    if (tooLarge) return keptWhenTooLarge.includes(name) && headerBytes({ value }) <= maxTextLength
    return !(
      /^(rascal|CC|BCC|x-death|x-delivery-count|x-acquired-count)$/.test(name) || /^x-(first|last)-death-/.test(name)
    )
  })
  return Object.fromEntries(kept)
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
