import { describeBadInput } from '@mono/test-support'
import { numberedPush, pushWorker } from './worker-under-test.js'

/** The text of a notification with other fields. Each call needs a number of its own. */
const body = (index: number, fields: object) => JSON.stringify({ ...numberedPush(index), ...fields })

const unfit = 'a body that does not fit'
const tooMany = Array.from({ length: 10_001 }, (_, index) => `user-${index}`)

/** As deep as asked. */
function nested(depth: number): object {
  return depth > 1 ? { below: nested(depth - 1) } : {}
}

describeBadInput(pushWorker, {
  messages: [
    { input: unfit, named: 'recipientIds', body: body(9_001, { recipientIds: [] }) },
    { input: unfit, named: 'recipientIds', body: body(9_002, { recipientIds: tooMany }) },
    { input: unfit, named: 'title, body and data', body: body(9_003, { body: 'x'.repeat(3_500) }) },
    { input: unfit, named: 'title', body: body(9_004, { title: 7 }) },
    { input: unfit, named: 'data.ttl', body: body(9_005, { data: { ttl: 'long' } }) },
    { input: unfit, named: 'data.urgency', body: body(9_006, { data: { urgency: 'urgent' } }) },
    { input: unfit, named: 'data.topic', body: body(9_007, { data: { topic: 'room 7' } }) },
    { input: unfit, named: 'data.push.badge', body: body(9_013, { data: { push: { badge: -1 } } }) },
    { input: unfit, named: 'data.aps', body: body(9_014, { data: { aps: {} } }) },
    {
      input: 'a tenant beyond 2^53−1',
      body: body(9_008, { tenantId: 0 }).replace('"tenantId":0', '"tenantId":9007199254740993'),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'title',
      body: body(9_009, { title: 'zero \u0000' }),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'data',
      body: body(9_010, { data: { name: '\udc00' } }),
    },
    { input: 'an id of 129 bytes', named: 'recipientIds', body: body(9_011, { recipientIds: ['x'.repeat(129)] }) },
    { input: 'a record 100 deep', named: 'data', body: body(9_012, { data: nested(100) }) },
    { input: 'a routing key that no type has', routingKey: 'push.unknown' },
  ],
})
