import { setImmediate } from 'node:timers/promises'
import { PermanentError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { receivedAuditEvent } from '../test/received-audit-event.js'
import type { AuditRow } from './audit-row.js'
import { createAuditBatchHandler } from './handle-audit-batch.js'
import { toMonth } from './month.js'

const context = { signal: new AbortController().signal, logger: createRecordingLogger() }

function setUp(refuse: (row: AuditRow) => boolean = () => false) {
  const calls: unknown[] = []
  const handle = createAuditBatchHandler({
    partitions: {
      async ensure(months) {
        // It takes a while, and is to be waited for.
        await setImmediate()
        calls.push({ ensured: [...months] })
      },
    },
    store: {
      async recordBatch(rows) {
        calls.push({ recorded: rows.map(({ eventId, routingKey }) => `${eventId} ${routingKey}`) })
        return new Map(
          rows.filter(refuse).map((row) => [row, new PermanentError(row.eventId, { code: 'INVALID_MESSAGE' })]),
        )
      },
    },
  })
  return { calls, handle }
}

test('the partitions of a batch are made before it is recorded', async () => {
  const { calls, handle } = setUp()
  const march = new Date('2025-03-31T23:59:59.999Z')
  await handle(
    [
      receivedAuditEvent({ messageId: 'a' }),
      receivedAuditEvent({ messageId: 'b', routingKey: 'audit.compliance' }, { timestamp: march }),
    ],
    context,
  )
  expect(calls).toEqual([
    { ensured: [toMonth(new Date('2025-04-01T00:00:00Z')), toMonth(march)] },
    { recorded: ['a audit.track', 'b audit.compliance'] },
  ])
})

test('only the messages whose event was refused fail', async () => {
  const { handle } = setUp(({ eventId }) => eventId === 'b')
  const messages = ['a', 'b', 'c'].map((messageId) => receivedAuditEvent({ messageId }))
  const failures = await handle(messages, context)
  expect(failures).toEqual(new Map([[messages[1], new PermanentError('b', { code: 'INVALID_MESSAGE' })]]))
})

test('a message that is twice in a batch fails twice or not at all', async () => {
  const { handle } = setUp(() => true)
  const messages = [receivedAuditEvent({ messageId: 'a' }), receivedAuditEvent({ messageId: 'a' })]
  expect((await handle(messages, context))?.size).toBe(2)
})
