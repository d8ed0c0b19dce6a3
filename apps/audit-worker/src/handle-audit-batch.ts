import type { BatchHandler, ReceivedMessage } from '@mono/message-queue'
import { type AuditRow, toAuditRow } from './audit-row.js'
import type { AuditStore } from './audit-store.js'
import { toMonth } from './month.js'
import type { Partitions } from './partitions.js'

export interface AuditBatchHandlerOptions {
  store: Pick<AuditStore, 'recordBatch'>
  partitions: Pick<Partitions, 'ensure'>
}

/** Records a batch. The events that the database refuses for their data fail by themselves. */
export function createAuditBatchHandler({ store, partitions }: AuditBatchHandlerOptions): BatchHandler<'audit.events'> {
  return async (messages) => {
    const messageByRow = new Map<AuditRow, ReceivedMessage<'audit.events'>>()
    for (const message of messages) messageByRow.set(toAuditRow(message), message)
    const rows = [...messageByRow.keys()]

    await partitions.ensure(rows.map(({ occurredAt }) => toMonth(occurredAt)))
    const refused = await store.recordBatch(rows)

    const failures = new Map<ReceivedMessage<'audit.events'>, Error>()
    for (const [row, error] of refused) {
      const message = messageByRow.get(row)
      if (message) failures.set(message, error)
    }
    return failures
  }
}
