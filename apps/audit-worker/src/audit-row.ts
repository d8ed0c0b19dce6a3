import type { ReceivedMessage } from '@mono/message-queue'

/** One event as it is recorded. */
export interface AuditRow {
  tenantId: number
  eventId: string
  occurredAt: Date
  eventType: string
  userId: string
  entityType: string
  entityId: string
  /** JSON text. */
  changes: string
  routingKey: string
}

/** The message's id is the event's: a message that is delivered or sent again brings the same event. */
export function toAuditRow({ messageId, routingKey, payload }: ReceivedMessage<'audit.events'>): AuditRow {
  const { tenantId, timestamp, eventType, userId, entityType, entityId, changes } = payload
  return {
    tenantId,
    eventId: messageId,
    occurredAt: timestamp,
    eventType,
    userId,
    entityType,
    entityId,
    changes: JSON.stringify(changes),
    routingKey,
  }
}
