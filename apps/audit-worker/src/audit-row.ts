import type { ReceivedMessage } from '@mono/message-queue'
import { findMemberText } from './find-member-text.js'

/** One event as it is recorded. */
export interface AuditRow {
  tenantId: number
  eventId: string
  occurredAt: Date
  eventType: string
  userId: string
  entityType: string
  entityId: string
  /** The JSON text that was sent. */
  changes: string
  routingKey: string
}

/** The message's id is the event's: a message that is delivered or sent again brings the same event. */
export function toAuditRow({ messageId, routingKey, payload, bodyText }: ReceivedMessage<'audit.events'>): AuditRow {
  const { tenantId, timestamp, eventType, userId, entityType, entityId } = payload
  return {
    tenantId,
    eventId: messageId,
    occurredAt: timestamp,
    eventType,
    userId,
    entityType,
    entityId,
    changes: findChangesText(bodyText),
    routingKey,
  }
}

/**
 * From the body's text, because `jsonb` keeps the digits of any number, and JavaScript those of a double. The payload has
 * been read from the same text, so there are changes, and they are an object, or the empty list that stands for one.
 */
function findChangesText(bodyText: string): string {
  const text = findMemberText(bodyText, 'changes') ?? '{}'
  return text.startsWith('[') ? '{}' : text
}
