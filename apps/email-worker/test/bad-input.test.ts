import { describeBadInput } from '@mono/test-support'
import { emailWorker, numberedMail } from './worker-under-test.js'

/** The text of a mail with other fields. Each call needs a number of its own. */
const body = (index: number, fields: object) => JSON.stringify({ ...numberedMail(index), ...fields })

const nested = (depth: number): unknown => (depth === 0 ? 'bottom' : { deeper: nested(depth - 1) })

const someAddresses = (count: number) => Array.from({ length: count }, (_, index) => `many-${index}@example.com`)

const title = 'Your report'

const badAddress =
  'an address with white space or a control character, one of `, ; : < > ( ) [ ] \\ "`, or not exactly one `@`'

const badReplyTo = 'a `replyTo` that is no such address, or has other letters than ASCII or more than 64 before the `@`'

describeBadInput(emailWorker, {
  messages: [
    { input: 'a body that does not fit', named: 'subject', body: body(9_001, { subject: 7 }) },
    { input: 'a body that does not fit', named: 'data', body: body(9_002, { data: ['list'] }) },
    {
      input: 'a body that does not fit',
      named: 'text',
      routingKey: 'email.send',
      body: body(9_003, { template: undefined, data: undefined }),
    },
    {
      input: 'a tenant beyond 2^53−1',
      body: body(9_004, { tenantId: 0 }).replace('"tenantId":0', '"tenantId":9007199254740993'),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'subject',
      body: body(9_005, { subject: 'zero \u0000' }),
    },
    {
      input: '`\\u0000` or a lone surrogate in a string',
      named: 'data.title',
      body: body(9_006, { data: { title: '\ud800', body: '' } }),
    },
    { input: 'a record 100 deep', named: 'data', body: body(9_007, { data: { title, body: nested(100) } }) },
    { input: 'a routing key that no type has', routingKey: 'email.unknown' },
    {
      input: 'a template that is not there',
      named: '"nowhere"',
      attempts: 1,
      body: body(9_008, { template: 'nowhere' }),
    },
    { input: 'a template name with `../`', body: body(9_009, { template: '../notification' }) },
    { input: 'a template name with `../`', body: body(9_010, { template: 'notification/../welcome' }) },
    {
      input: 'a variable that is missing',
      named: 'data.userName is missing',
      attempts: 1,
      body: body(9_011, { template: 'welcome', data: {} }),
    },
    {
      input: 'a variable of the wrong type',
      named: 'data.body must be string',
      attempts: 1,
      body: body(9_012, { data: { title, body: 7 } }),
    },
    {
      input: 'a link that is not `https://`, such as `javascript:`',
      named: 'data.link must match pattern',
      attempts: 1,
      body: body(9_013, { data: { title, body: '', link: 'javascript:alert(1)' } }),
    },
    { input: badAddress, named: 'to[0]', body: body(9_014, { to: ['a@b.example\r\nRCPT TO:<eve@b.example>'] }) },
    { input: badAddress, named: 'to[1]', body: body(9_015, { to: ['ada@example.com', 'a@b.example,eve@b.example'] }) },
    { input: badAddress, named: 'to[0]', body: body(9_016, { to: ['a@b@c.example'] }) },
    {
      input: 'no address, or more than 1,000',
      named: 'to: expected an array of 1 to 1000',
      body: body(9_017, { to: [] }),
    },
    {
      input: 'no address, or more than 1,000',
      named: 'to: expected an array of 1 to 1000',
      body: body(9_018, { to: someAddresses(1_001) }),
    },
    { input: badReplyTo, named: 'replyTo', body: body(9_019, { replyTo: 'Ada <ada@example.com>' }) },
    { input: badReplyTo, named: 'replyTo: expected ASCII', body: body(9_020, { replyTo: 'zoë@example.com' }) },
    { input: badReplyTo, named: 'replyTo', body: body(9_021, { replyTo: `${'a'.repeat(65)}@example.com` }) },
  ],
  inapplicable: ['an id of 129 bytes'],
  own: 'Bad mail',
})
