// @ts-check

const since = Date.now()

/** @type {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} */
export const auditDescription = {
  name: 'audit-worker',
  queue: 'audit.events',
  exchange: 'audit',
  routingKey: 'audit.track',
  httpPort: 9104,
  createPayload,
  send: (messageQueue, payload, messageId) => messageQueue.sendAuditEvent(payload, { messageId }),
  readEffects: ({ query }) =>
    query('SELECT event_id AS id, extract(epoch FROM recorded_at)::float * 1000 AS at FROM audit.events'),
  seesAllEffects: true,
  async sendExample({ messageQueue, query }) {
    const { messageId } = await messageQueue.sendAuditEvent(createPayload(0))
    return {
      sent: `audit event ${messageId}`,
      effects: [
        {
          where: 'audit.events',
          async read() {
            const [row] = await query('SELECT event_type, recorded_at FROM audit.events WHERE event_id = $1', [
              messageId,
            ])
            return row && `${row.event_type} recorded at ${new Date(row.recorded_at).toISOString().slice(11, 23)}`
          },
        },
      ],
    }
  },
}

/** The event with this number. @param {number} index */
export function createPayload(index) {
  return {
    eventType: 'invoice.approved',
    userId: `user-${index % 7}`,
    tenantId: 42,
    entityType: 'invoice',
    entityId: `entity-${index}`,
    changes: { index, status: { from: 'open', to: 'approved' } },
    timestamp: new Date(since + index),
  }
}
