import { expect, test } from 'vitest'
import { receivedAuditEvent } from '../test/received-audit-event.js'
import { toAuditRow } from './audit-row.js'

test('the message id becomes the event id, and the routing key is kept', () => {
  const message = receivedAuditEvent({ messageId: 'a', routingKey: 'audit.compliance' })
  expect(toAuditRow(message)).toEqual({
    tenantId: 42,
    eventId: 'a',
    occurredAt: new Date('2025-04-01T09:30:00.250Z'),
    eventType: 'invoice.approved',
    userId: 'user-1',
    entityType: 'invoice',
    entityId: 'invoice-2025-0042',
    changes: '{"status":{"from":"open","to":"approved"}}',
    routingKey: 'audit.compliance',
  })
})
