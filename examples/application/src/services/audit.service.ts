import type { AuditEvent } from '@mono/contracts'
import type { Work } from '../database.js'

/** Tells the audit trail, if the work is committed. */
export async function trackUserAction(
  { messageQueue }: Work,
  userId: string,
  tenantId: number,
  action: string,
  entityType: string,
  entityId: string,
  changes: AuditEvent['changes'],
): Promise<void> {
  await messageQueue.sendAuditEvent({
    eventType: action,
    userId,
    tenantId,
    entityType,
    entityId,
    changes,
    timestamp: new Date(),
  })
}

/** The tenant's events, newest first, at most 100. `changes` is JSON as text: JavaScript's numbers would drop digits. */
export async function listAuditEvents({ db }: Work, tenantId: number) {
  const { rows } = await db.query<Omit<AuditEvent, 'tenantId' | 'timestamp'>>(
    `SELECT event_id AS "eventId", occurred_at AS "occurredAt", event_type AS "eventType", user_id AS "userId",
       entity_type AS "entityType", entity_id AS "entityId", changes::text AS changes
     FROM audit.events WHERE tenant_id = $1 ORDER BY occurred_at DESC, event_id DESC LIMIT 100`,
    [tenantId],
  )
  return rows
}
