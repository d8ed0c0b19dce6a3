import { examples } from '@mono/contracts'
import type { ReceivedMessage } from '@mono/message-queue'

type ReceivedAuditEvent = ReceivedMessage<'audit.events'>

/** The example event as the worker receives it. */
export function receivedAuditEvent(
  envelope: Partial<Omit<ReceivedAuditEvent, 'payload'>> = {},
  payload: Partial<ReceivedAuditEvent['payload']> = {},
): ReceivedAuditEvent {
  const event = { ...examples['audit.event'], ...payload }
  return {
    payload: event,
    bodyText: JSON.stringify(event),
    type: 'audit.event',
    messageId: 'event-1',
    tenantId: event.tenantId,
    routingKey: 'audit.track',
    publishedAt: event.timestamp,
    attempt: 1,
    redelivered: false,
    headers: {},
    ...envelope,
  }
}
