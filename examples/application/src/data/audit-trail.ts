import type { ClientBase } from 'pg'

export interface AuditRow {
  eventId: string
  occurredAt: Date
  eventType: string
  userId: string
  entityType: string
  entityId: string
  /** JSON as text: JavaScript's numbers would drop digits. */
  changes: string
}

export function createAuditTrail(client: ClientBase) {
  return {
    /** The tenant's events, newest first, at most 100. */
    async list(tenantId: number): Promise<AuditRow[]> {
      const { rows } = await client.query<AuditRow>(
        `SELECT event_id AS "eventId", occurred_at AS "occurredAt", event_type AS "eventType", user_id AS "userId",
           entity_type AS "entityType", entity_id AS "entityId", changes::text AS changes
         FROM audit.events WHERE tenant_id = $1 ORDER BY occurred_at DESC, event_id DESC LIMIT 100`,
        [tenantId],
      )
      return rows
    },
  }
}
