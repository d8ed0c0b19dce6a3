import { expect, test } from 'vitest'
import { createRecipientServer, type RecipientServerOptions } from './create-recipient-server.js'
import { type EmailProvider, type Envelope, type Mail, SendError, type SendOutcome } from './email-provider.js'
import { toRecipients } from './recipient.js'

const { signal } = new AbortController()
const claim = { recipient: 'ada@example.com', attempts: 1, ambiguous: false, reuses: 0 }

function setUp({
  send = async (_mail, { to }) => ({ providerId: 'queue-7', accepted: to, rejected: [] }),
  ...options
}: Partial<RecipientServerOptions> & { send?: EmailProvider['send'] } = {}) {
  const sent: { mail: Mail; envelope: Envelope }[] = []
  const serve = createRecipientServer({
    from: { name: 'Mono', address: 'mono@example.com' },
    onUnknown: 'resend',
    message: { tenantId: 42, messageId: 'm1' },
    content: { subject: 's', text: 't' },
    recipients: toRecipients(['Ada@example.com']),
    suppressed: new Set(),
    provider: {
      async send(mail, envelope, sendSignal) {
        sent.push({ mail, envelope })
        return await send(mail, envelope, sendSignal)
      },
      tookAt: 0,
      async probe() {},
      async close() {},
    },
    ...options,
  })
  return { serve, sent }
}

const failing = (outcome: SendOutcome, code = 'CODE') => ({
  send: () => Promise.reject(new SendError('no', { outcome, code })),
})

test('a recipient gets a mail of their own, at the address as it was given', async () => {
  const { serve, sent } = setUp()
  expect(await serve(claim, signal)).toEqual({ kind: 'sent', providerId: 'queue-7' })
  expect(sent).toEqual([
    {
      mail: {
        from: { name: 'Mono', address: 'mono@example.com' },
        to: { address: 'Ada@example.com' },
        subject: 's',
        text: 't',
        messageId: expect.stringMatching(/^<[0-9a-f]{64}@example\.com>$/),
        ids: { tenantId: 42, messageId: 'm1', recipient: 'ada@example.com' },
      },
      envelope: { from: 'mono@example.com', to: ['Ada@example.com'] },
    },
  ])
})

test('answers go where it is said', async () => {
  const replyTo = { name: 'Help', address: 'help@example.com' }
  const { serve, sent } = setUp({ replyTo })
  await serve(claim, signal)
  expect(sent[0]?.mail.replyTo).toEqual(replyTo)
})

test('the Message-ID is the same at every try, whatever the spelling of the address', async () => {
  const { serve, sent } = setUp()
  await serve(claim, signal)
  await serve({ ...claim, attempts: 2 }, signal)
  const other = setUp({ recipients: toRecipients(['ADA@EXAMPLE.COM']) })
  await other.serve(claim, signal)
  const ids = [...sent, ...other.sent].map(({ mail }) => mail.messageId)
  expect(new Set(ids).size).toBe(1)
})

test('a suppressed recipient is failed without asking anybody', async () => {
  const { serve, sent } = setUp({ suppressed: new Set(['ada@example.com']) })
  expect(await serve(claim, signal)).toEqual({ kind: 'failed', code: 'SUPPRESSED' })
  expect(sent).toEqual([])
})

test.each([
  [true, { kind: 'failed', code: 'SMTP_550' }],
  [false, { kind: 'retry', code: 'SMTP_550' }],
])('a recipient refused with permanent %s is %j', async (permanent, result) => {
  const rejected = [{ address: 'ada@example.com', code: 'SMTP_550', permanent }]
  const { serve } = setUp({ send: async () => ({ providerId: '', accepted: [], rejected }) })
  expect(await serve(claim, signal)).toEqual(result)
})

test('a receipt that names nobody is no success', async () => {
  const { serve } = setUp({ send: async () => ({ providerId: '', accepted: [], rejected: [] }) })
  expect(await serve(claim, signal)).toEqual({ kind: 'retry', code: 'NOT_ACCEPTED' })
})

test.each<[SendOutcome, 'resend' | 'hold', string]>([
  ['permanent', 'resend', 'failed'],
  ['transient', 'resend', 'retry'],
  ['transient', 'hold', 'retry'],
  ['provider', 'hold', 'defer'],
  ['unknown', 'resend', 'retry'],
  ['unknown', 'hold', 'unknown'],
])('of outcome %s, with EMAIL_ON_UNKNOWN=%s, the recipient is %s', async (outcome, onUnknown, kind) => {
  const { serve } = setUp({ ...failing(outcome), onUnknown })
  expect(await serve(claim, signal)).toMatchObject({ kind, code: 'CODE' })
})

test('once the provider cannot be used the other recipients are not tried', async () => {
  const { serve, sent } = setUp(failing('provider', 'SMTP_535'))
  await serve(claim, signal)
  expect(await serve({ ...claim, recipient: 'grace@example.com' }, signal)).toMatchObject({
    kind: 'defer',
    code: 'SMTP_535',
  })
  expect(sent).toHaveLength(1)
})

test('a claim that ran out is held, or sent again', async () => {
  const ambiguous = { ...claim, attempts: 2, ambiguous: true }
  const held = setUp({ onUnknown: 'hold' })
  expect(await held.serve(ambiguous, signal)).toEqual({ kind: 'unknown', code: 'CLAIM_EXPIRED' })
  expect(held.sent).toEqual([])
  expect(await setUp().serve(ambiguous, signal)).toMatchObject({ kind: 'sent' })
})

test('what was cut short when it was handed over is unknown', async () => {
  const aborted = AbortSignal.abort(new Error('stopping'))
  expect(await setUp({ ...failing('unknown'), onUnknown: 'hold' }).serve(claim, aborted)).toMatchObject({
    kind: 'unknown',
  })
})

test('an error of the program is not taken for an answer', async () => {
  const error = new TypeError('bug')
  await expect(setUp({ send: () => Promise.reject(error) }).serve(claim, signal)).rejects.toBe(error)
})
