import { createMessageQueue } from '@mono/message-queue'
import type { WorkerUnderTest } from '@mono/test-support'
import { expect } from 'vitest'
import { auditDescription, createPayload as numberedEvent } from './description.mjs'

export { numberedEvent }

export const auditWorker: WorkerUnderTest = {
  ...auditDescription,
  table: 'audit.events',
  skipsDone: true,
  createBody: numberedEvent,
  foreign: {
    messages: [
      foreignEvent(0, { changes: [], timestamp: '2026-01-02T03:04:05+0000' }, {}),
      foreignEvent(1, { changes: { list: [], none: null }, timestamp: '2026-01-02 04:04:05.000999 +0100' }),
    ],
    readEffects: ({ database }) => database.query('SELECT entity_id, changes, occurred_at FROM audit.events'),
  },
  openSender({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
    cleanUp(() => messageQueue.close())
    return (index) => auditDescription.send(messageQueue, numberedEvent(index), `event-${index}`)
  },
  async watchEffects({ database }) {
    return {
      async countHandled() {
        const [row] = await database.query<{ count: number }>('SELECT count(*)::int FROM audit.events')
        return row?.count ?? 0
      },
      async expectOnce(count) {
        const rows = await database.query(
          `SELECT entity_id, changes->'index' AS index, occurred_at, routing_key FROM audit.events
           ORDER BY (changes->'index')::int`,
        )
        expect(rows).toEqual(
          Array.from({ length: count }, (_, index) => ({
            entity_id: `entity-${index}`,
            index,
            occurred_at: numberedEvent(index).timestamp,
            routing_key: 'audit.track',
          })),
        )
      },
    }
  },
}

function foreignEvent(index: number, fields: { changes: object; timestamp: string }, changes = fields.changes) {
  const body = { ...numberedEvent(index), ...fields, reason: null }
  return { body, effect: { entity_id: body.entityId, changes, occurred_at: new Date('2026-01-02T03:04:05Z') } }
}
