import type { AuditEvent } from '@mono/contracts'
import type { Work } from './work.js'

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
