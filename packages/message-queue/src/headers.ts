/** Headers that this package sets on messages, beside the W3C pair `traceparent` and `tracestate`. */
export const header = {
  tenantId: 'x-tenant-id',
  schemaVersion: 'x-schema-version',
  publishedAt: 'x-published-at',
  attempts: 'x-attempts',
  originalExchange: 'x-original-exchange',
  originalRoutingKey: 'x-original-routing-key',
  originalExpiration: 'x-original-expiration',
  failureCode: 'x-failure-code',
  failureMessage: 'x-failure-message',
  failureStack: 'x-failure-stack',
  failedAt: 'x-failed-at',
  failedBy: 'x-failed-by',
  firstFailureCode: 'x-first-failure-code',
  firstFailureMessage: 'x-first-failure-message',
  firstFailureAt: 'x-first-failure-at',
  replay: 'x-replay',
} as const

/** The version of the payload schemas that this package reads and writes. */
export const schemaVersion = 1

/**
 * More is refused: amqplib encodes headers into a buffer of 64 KiB, and a message must still carry ours
 * when it is retried or dead-lettered.
 */
export const maxHeaderBytes = 48 * 1024

/** An estimate of the size on the wire: that of the JSON text. */
export function headerBytes(headers: Readonly<Record<string, unknown>>): number {
  return Buffer.byteLength(JSON.stringify(headers))
}
