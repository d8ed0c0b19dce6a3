/** Headers that this package sets on messages, beside the W3C pair `traceparent` and `tracestate`. */
export const header = {
  tenantId: 'x-tenant-id',
  schemaVersion: 'x-schema-version',
  publishedAt: 'x-published-at',
  attempts: 'x-attempts',
  progressAt: 'x-progress-at',
  resumeAt: 'x-resume-at',
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
  headersLeftOut: 'x-headers-left-out',
  replay: 'x-replay',
} as const

/** The version of the payload schemas that this package reads and writes. */
export const schemaVersion = 1

/**
 * Of the headers that are the publisher's own. More is refused: amqplib encodes headers into a buffer of 64 KiB, and a
 * message must still carry ours when it is retried or dead-lettered.
 */
export const maxHeaderBytes = 32 * 1024

type Headers = Readonly<Record<string, unknown>>

const names: ReadonlySet<string> = new Set([...Object.values(header), 'traceparent', 'tracestate'])

/** One that is named above, or of the W3C pair. */
export function isOurHeader(name: string): boolean {
  return names.has(name)
}

/** Whether one of our headers counts as left out: some clients can only send it empty. */
export function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/**
 * The headers of a delivery without those that the broker and rascal set for this delivery alone, among them the
 * routing keys that it has been delivered by already: the ones named above, and those that are the publisher's own.
 */
export function sortHeaders(received: Headers): { ours: Headers; publishers: Headers } {
  const lasting = Object.entries(received).filter(([name]) => !isOfDelivery(name))
  return {
    ours: Object.fromEntries(lasting.filter(([name]) => isOurHeader(name))),
    publishers: Object.fromEntries(lasting.filter(([name]) => !isOurHeader(name))),
  }
}

function isOfDelivery(name: string): boolean {
  return /^(rascal|CC|BCC|x-death|x-delivery-count|x-acquired-count|x-(first|last)-death-.*)$/.test(name)
}
