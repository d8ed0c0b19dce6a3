import { header, sortHeaders } from '../headers.js'

type Headers = Readonly<Record<string, unknown>>

/** What the publisher said; everything else tells of the life that ended in the dead-letter queue. */
const kept: ReadonlySet<string> = new Set([
  header.tenantId,
  header.schemaVersion,
  header.publishedAt,
  'traceparent',
  'tracestate',
])

/** The headers that a dead letter is published with again: the publisher's, and `x-replay` with the time. */
export function replayHeaders(received: Headers, now: Date): Headers {
  const { ours, publishers } = sortHeaders(received)
  const fromPublisher = Object.entries(ours).filter(([name]) => kept.has(name))
  return { ...publishers, ...Object.fromEntries(fromPublisher), [header.replay]: now.toISOString() }
}
