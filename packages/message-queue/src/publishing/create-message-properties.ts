import { header, schemaVersion } from '../headers.js'
import type { PublishProperties } from './outgoing-message.js'
import type { PublishOptions } from './publish-options.js'

/** The AMQP properties of a message of ours, with its metadata; the body is the bare payload. */
export function createMessageProperties(
  message: { messageId: string; type: string; tenantId: number; appId: string },
  { correlationId, traceparent, tracestate }: PublishOptions,
): PublishProperties {
  const now = new Date()
  return {
    messageId: message.messageId,
    type: message.type,
    contentType: 'application/json',
    timestamp: Math.floor(now.getTime() / 1_000),
    appId: message.appId,
    correlationId,
    headers: {
      [header.tenantId]: message.tenantId,
      [header.schemaVersion]: schemaVersion,
      [header.publishedAt]: now.toISOString(),
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
    },
  }
}
