/** AMQP properties as `basic.publish` takes them. A string is at most 255 bytes of UTF-8, all headers together 64 KiB. */
export interface PublishProperties {
  messageId?: string | undefined
  type?: string | undefined
  contentType?: string | undefined
  contentEncoding?: string | undefined
  correlationId?: string | undefined
  replyTo?: string | undefined
  appId?: string | undefined
  /** Whole seconds since 1970. */
  timestamp?: number | undefined
  priority?: number | undefined
  headers?: Record<string, unknown> | undefined
}

export interface OutgoingMessage {
  exchange: string
  /** At most 255 bytes of UTF-8. */
  routingKey: string
  /** Kept, not copied, until the message is settled: do not write to it. */
  body: Buffer
  properties: PublishProperties
  /** Reject when no queue takes the message. Without it such a message is confirmed and lost. */
  mandatory: boolean
  /** Kept on disk by the broker. */
  persistent: boolean
  /** How long, in milliseconds from the call, the outcome is waited for. */
  deadlineMs: number
  /** What is not sent yet is not sent any more; for what is in flight the outcome stays unknown. */
  signal?: AbortSignal | undefined
}
