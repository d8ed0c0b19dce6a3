import { fileURLToPath } from 'node:url'
import { createDeliveryLedger } from '@mono/delivery-ledger'
import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { createRecordingLogger, migrate, type TestDatabase, test, waitFor } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import type { OnUnknown } from '../src/create-recipient-server.js'
import { createEmailHandler } from '../src/handle-email.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'
import { createSuppressions } from '../src/suppressions.js'
import { loadTemplates } from '../src/templates/template-store.js'
import { receivedEmailMessage, receivedEmailNotification } from './received-email.js'

const templates = loadTemplates(fileURLToPath(new URL('../templates', import.meta.url)))

interface SetUpOptions {
  database: TestDatabase
  cleanUp: (release: () => Promise<unknown> | unknown) => void
  onUnknown?: OnUnknown
  credentials?: string
  /** Of the server, before a mail is given up. */
  silenceMs?: number | undefined
}

async function setUp({ database, cleanUp, onUnknown = 'resend', credentials = '', silenceMs = 20_000 }: SetUpOptions) {
  await migrate('email-worker', database.url)
  const sink = await createSmtpSink()
  cleanUp(() => sink.close())
  const parameters = `?tls=off&commandTimeoutMs=${silenceMs}&finalDotTimeoutMs=${silenceMs}`
  const smtp = parseSmtpUrl(sink.url.replace('//', `//${credentials}`) + parameters)
  const provider = createSmtpProvider(smtp)
  cleanUp(() => provider.close())
  const pool = database.createPool()
  const ledger = createDeliveryLedger({ pool, table: 'email.deliveries', recipientColumn: 'recipient' })
  const logger = createRecordingLogger()
  const handler = createEmailHandler({
    ledger,
    suppressions: createSuppressions(pool),
    templates,
    provider,
    from: { address: 'mono@example.com' },
    replyTo: { name: 'Help', address: 'help@example.com' },
    onUnknown,
    concurrency: smtp.maxConnections,
  })
  const handle = (message: Parameters<typeof handler>[0], { signal } = new AbortController()) =>
    handler(message, { signal, logger, othersMayWait: () => false })
  const countByState = async () => {
    const rows = await database.query<{ state: string; last_code: string | null; count: number }>(
      'SELECT state, last_code, count(*)::int FROM email.deliveries GROUP BY 1, 2 ORDER BY 1, 2',
    )
    return rows.map(({ state, last_code, count }) => [state, last_code, count])
  }
  return { sink, handle, countByState, logger }
}

const addressesOf = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}@example.com`)

describe('one mail to many', () => {
  test('of 50 addresses 40 take it, 5 refuse it for good, 5 take it at the second try', async ({
    database,
    cleanUp,
  }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp })
    const to = addressesOf(50)
    for (const address of to.slice(40, 45)) sink.answer(address, 'rcpt 550')
    for (const address of to.slice(45)) sink.answer(address, ['rcpt 451'])

    const first = handle(receivedEmailMessage({ to }))
    await expect(first).rejects.toThrow(RetryableError)
    await expect(first).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' })
    expect(sink.counts().size).toBe(40)
    expect(await countByState()).toEqual([
      ['failed', 'SMTP_550', 5],
      ['retry', 'SMTP_451', 5],
      ['sent', null, 40],
    ])

    await handle(receivedEmailMessage({ to }, { attempt: 2 }))
    expect([...sink.counts().values()]).toEqual(Array.from({ length: 45 }, () => 1))
    expect(sink.received.every((mail) => mail.to.length === 1)).toBe(true)
    const rows = await database.query('SELECT recipient, state, attempts FROM email.deliveries ORDER BY recipient')
    expect(rows).toEqual(
      to
        .map((recipient, index) => ({
          recipient,
          state: index >= 40 && index < 45 ? 'failed' : 'sent',
          attempts: index >= 45 ? 2 : 1,
        }))
        .sort((a, b) => (a.recipient < b.recipient ? -1 : 1)),
    )
  })

  test('a message that comes again sends nothing', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    const message = receivedEmailMessage({ to: addressesOf(3) })
    await handle(message)
    await handle(message)
    expect(sink.received).toHaveLength(3)
  })

  test('the same message handled twice at a time sends once', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    sink.answer('all', 'delay 100')
    const message = receivedEmailMessage({ to: addressesOf(20) })
    const outcomes = await Promise.allSettled([handle(message), handle(message)])
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DeferError)
    await handle(message)
    expect([...sink.counts().values()]).toEqual(Array.from({ length: 20 }, () => 1))
  })

  test('if all are refused the message is given up', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp })
    sink.answer('all', 'rcpt 550')
    const handling = handle(receivedEmailMessage({ to: addressesOf(3) }))
    await expect(handling).rejects.toThrow(PermanentError)
    await expect(handling).rejects.toMatchObject({ code: 'ALL_RECIPIENTS_FAILED' })
    expect(await countByState()).toEqual([['failed', 'SMTP_550', 3]])
  })

  test('two spellings of an address are one recipient', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await handle(receivedEmailMessage({ to: ['Ada@example.com', 'ada@example.com'] }))
    await handle(receivedEmailMessage({ to: ['ADA@EXAMPLE.COM'] }))
    expect(sink.received.map(({ to }) => to)).toEqual([['Ada@example.com']])
    expect(await database.query('SELECT recipient FROM email.deliveries')).toEqual([{ recipient: 'ada@example.com' }])
  })

  test('more recipients than connections make no warning', async ({ database, cleanUp }) => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    cleanUp(() => process.off('warning', note))
    const { sink, handle } = await setUp({ database, cleanUp })
    await handle(receivedEmailMessage({ to: addressesOf(250) }))
    expect(sink.received).toHaveLength(250)
    expect(warnings).toEqual([])
  })
})

describe('suppressions', () => {
  const suppress = (database: TestDatabase, address: string, tenantId = 42) =>
    database.query("INSERT INTO email.suppressions VALUES ($1, $2, 'bounced')", [tenantId, address])

  test('a suppressed address gets nothing, the others do', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp })
    await suppress(database, 'ada@example.com')
    await suppress(database, 'grace@example.com', 43)
    await handle(receivedEmailMessage({ to: ['ADA@example.com', 'grace@example.com'] }))
    expect(sink.received.map(({ to }) => to)).toEqual([['grace@example.com']])
    expect(await countByState()).toEqual([
      ['failed', 'SUPPRESSED', 1],
      ['sent', null, 1],
    ])
  })

  test('if all are suppressed there is nothing to do, and nothing to look into', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp })
    await suppress(database, 'ada@example.com')
    await handle(receivedEmailMessage({ to: ['ada@example.com'] }))
    expect(sink.received).toEqual([])
    expect(await countByState()).toEqual([['failed', 'SUPPRESSED', 1]])
  })

  test('if the rest are refused, all have failed', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await suppress(database, 'ada@example.com')
    sink.answer('all', 'rcpt 550')
    const handling = handle(receivedEmailMessage({ to: ['ada@example.com', 'grace@example.com'] }))
    await expect(handling).rejects.toMatchObject({ code: 'ALL_RECIPIENTS_FAILED' })
  })

  test('an address must be stored in lower case', async ({ database, cleanUp }) => {
    await setUp({ database, cleanUp })
    await expect(suppress(database, 'Ada@example.com')).rejects.toThrow('suppressions_address_check')
  })
})

describe('a connection that is lost', () => {
  test.for([
    ['after the final dot', 'drop-after-data', 'resend', 'retry', 2],
    ['after the final dot', 'drop-after-data', 'hold', 'unknown', 1],
    ['after the final dot, by silence', 'hang-after-data', 'resend', 'retry', 2],
    ['after the final dot, by silence', 'hang-after-data', 'hold', 'unknown', 1],
  ] as const)(
    '%s (%s), with %s: %s, and %i mails in the end',
    async ([, answer, onUnknown, state, mails], { database, cleanUp }) => {
      const silenceMs = answer === 'hang-after-data' ? 4_000 : undefined
      const { sink, handle, countByState } = await setUp({ database, cleanUp, onUnknown, silenceMs })
      sink.answer('all', [answer])
      const message = receivedEmailMessage({ to: ['ada@example.com'] })
      const first = handle(message)
      if (state === 'retry') await expect(first).rejects.toThrow(RetryableError)
      else await first
      expect(await countByState()).toMatchObject([[state, expect.any(String), 1]])

      await handle({ ...message, attempt: 2 })
      expect(sink.received).toHaveLength(mails)
      expect(new Set(sink.received.map(({ messageId }) => messageId)).size).toBe(1)
    },
  )

  test('before its end was handed over, the mail goes over another one, and no attempt is counted', async ({
    database,
    cleanUp,
  }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp, onUnknown: 'hold' })
    sink.answer('small@example.com', ['drop-in-data'])
    sink.answer('large@example.com', ['drop-in-data'])
    await handle(receivedEmailMessage({ to: ['small@example.com'], text: 'x', html: undefined })).catch(() => undefined)
    const text = 'a line of text\n'.repeat(1_000_000)
    const large = handle(receivedEmailMessage({ to: ['large@example.com'], text }, { messageId: 'message-2' }))
    await large
    expect(sink.receivedBy('large@example.com')).toHaveLength(1)
    const [first, ...others] = await countByState()
    // The end of a small mail may have been on its way.
    expect(others).toMatchObject(others.length === 0 ? [] : [['unknown', expect.any(String), 1]])
    expect(first).toMatchObject(['sent', null, 2 - others.length])
  })
})

describe('a claim whose process died', () => {
  const claimAsDeadProcess = async (database: TestDatabase) =>
    await database.query(
      `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, lease_until)
       VALUES (42, 'message-1', 'ada@example.com', 'sending', 1, now() - interval '1 second')`,
    )
  const message = receivedEmailMessage({ to: ['ada@example.com'] })

  test('is sent again with resend', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await claimAsDeadProcess(database)
    await handle(message)
    expect(sink.received).toHaveLength(1)
  })

  test('is unknown with hold, until somebody replays it', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp, onUnknown: 'hold' })
    await claimAsDeadProcess(database)
    await handle(message)
    await handle(message)
    expect(sink.received).toEqual([])
    expect(await countByState()).toEqual([['unknown', 'CLAIM_EXPIRED', 1]])
    await handle({ ...message, replayedAt: new Date() })
    expect(sink.received).toHaveLength(1)
    expect(await countByState()).toEqual([['sent', null, 1]])
  })

  test('is sent when the message is published again, once its row is told to retry', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp, onUnknown: 'hold' })
    await claimAsDeadProcess(database)
    await handle(message)
    await database.query(
      `UPDATE email.deliveries SET state = 'retry', updated_at = now()
       WHERE state = 'unknown' AND tenant_id = 42 AND message_id = 'message-1'`,
    )
    await handle(message)
    await handle(message)
    expect(sink.received).toHaveLength(1)
    expect(await countByState()).toEqual([['sent', null, 1]])
  })

  test('a replay that becomes unknown again is not sent when it comes back', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp, onUnknown: 'hold' })
    const replay = { ...message, replayedAt: new Date() }
    sink.answer('all', ['drop-after-data'])
    await handle(replay)
    await handle(replay)
    await handle({ ...replay, attempt: 2 })
    expect(sink.received).toHaveLength(1)
    expect(await countByState()).toEqual([['unknown', 'ECONNECTION', 1]])
  })

  test('a replay that finds the server away is sent when it comes back', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp, onUnknown: 'hold' })
    await claimAsDeadProcess(database)
    await handle(message)
    const replay = { ...message, replayedAt: new Date() }
    await sink.stop()
    await expect(handle(replay)).rejects.toThrow(DeferError)
    await sink.start()
    await handle(replay)
    expect(sink.received).toHaveLength(1)
  })

  test('that still runs defers the message', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await claimAsDeadProcess(database)
    await database.query("UPDATE email.deliveries SET lease_until = now() + interval '1 minute'")
    await expect(handle(message)).rejects.toThrow(DeferError)
    expect(sink.received).toEqual([])
  })
})

describe('a server that cannot be used', () => {
  test('a refused login defers the message: nobody else is tried, nobody is lost', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp, credentials: 'mono:wrong@' })
    sink.answer('all', 'auth 535')
    const message = receivedEmailMessage({ to: addressesOf(100) })
    const handling = handle(message)
    await expect(handling).rejects.toThrow(DeferError)
    await expect(handling).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' })
    expect(await countByState()).toEqual([['retry', 'SMTP_535', 100]])
    sink.answer('all', 'accept')
    await handle(message)
    expect(sink.received).toHaveLength(100)
  })

  test('so does one that is away', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await sink.stop()
    const message = receivedEmailMessage({ to: ['ada@example.com'] })
    await expect(handle(message)).rejects.toThrow(DeferError)
    await sink.start()
    await handle(message)
    expect(sink.received).toHaveLength(1)
  })
})

describe('what is sent', () => {
  test('a template is rendered once for all', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await handle(receivedEmailNotification({ to: addressesOf(2), subject: 'Welcome', template: 'welcome' }))
    expect(sink.received).toMatchObject([1, 2].map(() => ({ subject: 'Welcome', text: /Welcome, Ada/ })))
    expect(sink.received[0]?.text).toContain('Welcome, Ada')
    expect(sink.received[0]?.html).toContain('Welcome, Ada')
  })

  test('a message that cannot be rendered leaves no trace', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    const handling = handle(receivedEmailNotification({ data: {} }))
    await expect(handling).rejects.toMatchObject({ code: 'INVALID_TEMPLATE_DATA' })
    const unknown = handle(receivedEmailNotification({ template: 'nowhere' }))
    await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_TEMPLATE' })
    expect(await database.query('SELECT FROM email.deliveries')).toEqual([])
    expect(sink.received).toEqual([])
  })

  test('answers go where the message says, else where the environment does', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    const to = ['ada@example.com']
    await handle(receivedEmailMessage({ to, replyTo: 'ticket-7@example.com' }, { messageId: 'own' }))
    await handle(receivedEmailMessage({ to, replyTo: undefined }, { messageId: 'none' }))
    await handle(receivedEmailNotification({ to, replyTo: 'ticket-8@example.com' }, { messageId: 'template' }))
    expect(sink.received.map(({ headers }) => headers['reply-to'])).toEqual([
      'ticket-7@example.com',
      'Help <help@example.com>',
      'ticket-8@example.com',
    ])
    expect(sink.received.map(({ headers }) => headers['auto-submitted'])).toEqual(Array(3).fill('auto-generated'))
  })

  test('a subject cannot add a header', async ({ database, cleanUp }) => {
    const { sink, handle } = await setUp({ database, cleanUp })
    await handle(receivedEmailMessage({ to: ['ada@example.com'], subject: 'Hello\r\nBcc: eve@example.com\r\n\r\nhi' }))
    expect(sink.received).toMatchObject([{ to: ['ada@example.com'], subject: 'Hello Bcc: eve@example.com hi' }])
    expect(sink.received[0]?.headers).not.toHaveProperty('bcc')
  })

  test('an address that SMTP cannot be trusted with fails by itself', async ({ database, cleanUp }) => {
    const { sink, handle, countByState } = await setUp({ database, cleanUp })
    const to = [
      'ada@example.com',
      'a@b.example, eve@example.com',
      'eve@example.com\r\nRCPT TO:<x@example.com>',
      'a@b@c',
      `${'a'.repeat(65)}@example.com`,
    ]
    await handle(receivedEmailMessage({ to }))
    expect(sink.received.map((mail) => mail.to)).toEqual([['ada@example.com']])
    expect(await countByState()).toEqual([
      ['failed', 'INVALID_ADDRESS', 4],
      ['sent', null, 1],
    ])
  })
})

test('a handler that is cut short gives back what it has not sent', async ({ database, cleanUp }) => {
  const { sink, handle, countByState } = await setUp({ database, cleanUp })
  sink.answer('all', 'delay 100')
  const controller = new AbortController()
  const handling = handle(receivedEmailMessage({ to: addressesOf(100) }), controller)
  const cut = expect(handling).rejects.toThrow('stopping')
  await waitFor(() => sink.received.length >= 20, { what: 'twenty mails', intervalMs: 10 })
  controller.abort(new Error('stopping'))
  await cut
  const states = new Map((await countByState()).map(([state, , count]) => [state, count]))
  expect(states.has('sending')).toBe(false)
  await handle(receivedEmailMessage({ to: addressesOf(100) }))
  expect(sink.counts().size).toBe(100)
})
