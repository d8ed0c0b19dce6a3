import { describeBadInput } from '@mono/test-support'
import { chatWorker, numberedMessage } from './worker-under-test.js'

/** The text of a message with other fields. Each call needs a number of its own. */
const body = (index: number, fields: object) => JSON.stringify({ ...numberedMessage(index), ...fields })

describeBadInput(chatWorker, {
  messages: [
    { input: 'a body that does not fit', named: 'messageType', body: body(9_001, { messageType: 'video' }) },
    { input: 'a body that does not fit', named: 'content', body: body(9_002, { content: 'x'.repeat(64 * 1024 + 1) }) },
    {
      input: 'a tenant beyond 2^53−1',
      body: body(9_003, { tenantId: 0 }).replace('"tenantId":0', '"tenantId":9007199254740993'),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'content',
      body: body(9_004, { content: 'zero \u0000' }),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'senderId',
      body: body(9_005, { senderId: '\udc00' }),
    },
    { input: 'an id of 129 bytes', named: 'messageId', body: body(9_006, { messageId: 'x'.repeat(129) }) },
    { input: 'an id of 129 bytes', named: 'conversationId', body: body(9_007, { conversationId: 'x'.repeat(129) }) },
    { input: 'a routing key that no type has', routingKey: 'chat.unknown' },
  ],
  inapplicable: ['a record 100 deep'],
  late: [
    {
      input: 'an id that another message has',
      code: 'ID_CONFLICT',
      named: 'content',
      body: body(0, { content: 'other' }),
    },
    {
      input: 'an id that a message of another conversation has',
      code: 'ID_CONFLICT',
      named: 'conversationId',
      body: body(1, { conversationId: 'another' }),
    },
  ],
})
