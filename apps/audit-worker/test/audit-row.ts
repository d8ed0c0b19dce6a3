import type { AuditRow } from '../src/audit-row.js'

export function auditRow(fields: Partial<AuditRow> = {}): AuditRow {
  return {
    tenantId: 42,
    eventId: 'event-1',
    occurredAt: new Date('2025-04-01T09:30:00.250Z'),
    eventType: 'invoice.approved',
    userId: 'user-1',
    entityType: 'invoice',
    entityId: 'invoice-2025-0042',
    changes: '{"status":"approved"}',
    routingKey: 'audit.track',
    ...fields,
  }
}
