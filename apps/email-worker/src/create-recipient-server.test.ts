import { describe, expect, test, vi } from 'vitest'
import { createRecipientServer, type RecipientServerOptions } from './create-recipient-server.js'
import {
  type EmailProvider,
  type Envelope,
  type Mail,
  SendError,
  type SendOptions,
  type SendOutcome,
} from './email-provider.js'
import { toRecipients } from './recipient.js'

const { signal } = new AbortController()
const claim = { recipient: 'ada@example.com', attempts: 1, ambiguous: false, reuses: 0 }

function setUp({
  send = async (_mail, { to }) => ({ providerId: 'queue-7', accepted: to, rejected: [] }),
  ...options
}: Partial<RecipientServerOptions> & { send?: EmailProvider['send'] } = {}) {
  const sent: { mail: Mail; envelope: Envelope }[] = []
  const optionsGiven: (SendOptions | undefined)[] = []
  const serve = createRecipientServer({
    from: { name: 'Mono', address: 'mono@example.com' },
    onUnknown: 'resend',
    message: { tenantId: 42, messageId: 'm1' },
    content: { subject: 's', text: 't' },
    recipients: toRecipients(['Ada@example.com']),
    suppressed: new Set(),
    provider: {
      async send(mail, envelope, sendSignal, sendOptions) {
        sent.push({ mail, envelope })
        optionsGiven.push(sendOptions)
        return await send(mail, envelope, sendSignal)
      },
      tookAt: 0,
      async probe() {},
      async close() {},
    },
    ...options,
  })
  return { serve, sent, options: optionsGiven }
}

const failing = (outcome: SendOutcome, code = 'CODE', provider?: string) => ({
  send: () => Promise.reject(new SendError('no', { outcome, code, provider })),
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

test.each<[SendOutcome, string | undefined]>([
  ['permanent', 'smtp'],
  ['unknown', 'smtp'],
  ['transient', undefined],
])('of outcome %s, the ledger is told that %s has, or may have, the mail', async (outcome, provider) => {
  const { serve } = setUp(failing(outcome, 'CODE', 'smtp'))
  expect(await serve(claim, signal)).toMatchObject(provider === undefined ? { code: 'CODE' } : { provider })
  expect('provider' in (await serve(claim, signal))).toBe(provider !== undefined)
})

describe('a mail that one provider may have from an earlier try', () => {
  const doubtful = { ...claim, attempts: 2, provider: 'smtp' }

  test('goes by that one only', async () => {
    const { serve, options } = setUp({
      send: async (_mail, { to }) => ({ providerId: 'q', provider: 'smtp', accepted: to, rejected: [] }),
    })
    expect(await serve(doubtful, signal)).toEqual({ kind: 'sent', providerId: 'q', provider: 'smtp' })
    await serve(claim, signal)
    expect(options).toEqual([{ only: 'smtp' }, { only: undefined }])
  })

  test('stays so while that one has not taken it', async () => {
    for (const onUnknown of ['resend', 'hold'] as const) {
      const { serve } = setUp({ ...failing('transient', 'CODE', 'smtp'), onUnknown })
      expect(await serve(doubtful, signal)).toMatchObject({ kind: 'retry', provider: 'smtp' })
    }
    const rejected = [{ address: 'ada@example.com', code: 'SMTP_451', permanent: false }]
    const { serve } = setUp({ send: async () => ({ providerId: '', provider: 'smtp', accepted: [], rejected }) })
    expect(await serve(doubtful, signal)).toMatchObject({ kind: 'retry', provider: 'smtp' })
    const held = setUp({ onUnknown: 'hold' })
    expect(await held.serve({ ...doubtful, ambiguous: true }, signal)).toMatchObject({
      kind: 'unknown',
      provider: 'smtp',
    })
  })

  test('says nothing for the others when that one cannot be used', async () => {
    const onProviderAway = vi.fn()
    const { serve, sent } = setUp({ ...failing('provider'), onProviderAway })
    expect(await serve(doubtful, signal)).toMatchObject({ kind: 'defer', alone: true })
    await serve({ ...claim, recipient: 'grace@example.com' }, signal)
    expect(sent).toHaveLength(2)
    expect(onProviderAway).toHaveBeenCalledOnce()
  })
})
