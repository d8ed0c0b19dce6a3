// @ts-check

let made = 0

/**
 * An event such as an application sends for every change: about 340 bytes as JSON, no two the same.
 * @returns {import('@mono/contracts').AuditEvent}
 */
export function createEvent() {
  made += 1
  return {
    eventType: 'invoice.approved',
    userId: `user-${made % 1000}`,
    tenantId: 1 + (made % 50),
    entityType: 'invoice',
    entityId: `invoice-${made}`,
    changes: {
      status: { from: 'open', to: 'approved' },
      amount: { from: 1250.5, to: 1300 },
      approvers: ['user-17', 'user-42'],
      comment: { from: null, to: 'Checked against the delivery note.' },
    },
    timestamp: new Date(),
  }
}
