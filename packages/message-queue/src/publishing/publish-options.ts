/** What every send accepts beside its payload. */
export interface PublishOptions {
  /** Unique within the tenant, 1–128 bytes. Default: a UUIDv7. Give the same one when you send again. */
  messageId?: string
  /** AMQP's `correlation_id`. */
  correlationId?: string
  /** W3C trace context, for the headers of the same names. */
  traceparent?: string
  tracestate?: string
  /** The promise settles within this time, in milliseconds. Default: the client's, 10 s. */
  deadlineMs?: number
  /** Gives up waiting. What was on the wire by then may have arrived. */
  signal?: AbortSignal
}

export interface SentMessage {
  messageId: string
}
