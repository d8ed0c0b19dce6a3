import { z } from 'zod'
import { date, id, record, tenantId } from './fields.js'
import type { JsonRecord } from './find-record-faults.js'

/**
 * Who changed what, and when. Routing keys `audit.track` and, for events that must be kept and proven,
 * `audit.compliance`; consumed by the audit worker.
 */
export interface AuditEvent {
  /** What happened, such as `invoice.approved`; an id. */
  eventType: string
  /** Id of the user who did it. */
  userId: string
  /** Integer from 1 to 2^53−1. */
  tenantId: number
  /** Kind of the thing that changed, such as `invoice`; an id. */
  entityType: string
  /** Id of the thing that changed. */
  entityId: string
  /** What changed. JSON object, at most 32 deep. */
  changes: JsonRecord
  /** When it happened. Whole milliseconds. */
  timestamp: Date
}

export const auditEventSchema = z.object({
  eventType: id,
  userId: id,
  tenantId,
  entityType: id,
  entityId: id,
  changes: record,
  timestamp: date,
}) satisfies z.ZodType<AuditEvent>

export const auditEventExample: AuditEvent = {
  eventType: 'invoice.approved',
  userId: 'user-1',
  tenantId: 42,
  entityType: 'invoice',
  entityId: 'invoice-2025-0042',
  changes: { status: { from: 'open', to: 'approved' } },
  timestamp: new Date('2025-04-01T09:30:00.250Z'),
}
