import { describeBadInput } from '@mono/test-support'
import { auditWorker, numberedEvent } from './worker-under-test.js'

/** The text of an event with other fields. Each call needs a number of its own. */
const body = (index: number, fields: object) => JSON.stringify({ ...numberedEvent(index), ...fields })

const nested = (depth: number): unknown => (depth === 0 ? 'bottom' : { deeper: nested(depth - 1) })

describeBadInput(auditWorker, {
  messages: [
    { input: 'a body that does not fit', named: 'entityType', body: body(9_001, { entityType: undefined }) },
    { input: 'a body that does not fit', named: 'an object', body: '[]' },
    {
      input: 'a tenant beyond 2^53−1',
      body: body(9_002, { tenantId: 0 }).replace('"tenantId":0', '"tenantId":9007199254740993'),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'changes.note',
      body: body(9_003, { changes: { note: 'zero \u0000' } }),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'changes.list[1]',
      body: body(9_004, { changes: { list: ['fine', '\ud800'] } }),
    },
    { input: 'an id of 129 bytes', named: 'userId', body: body(9_005, { userId: 'ü'.repeat(64).concat('x') }) },
    { input: 'a record 100 deep', named: 'changes', body: body(9_006, { changes: nested(100) }) },
    { input: 'a routing key that no type has', routingKey: 'audit.unknown' },
  ],
})
