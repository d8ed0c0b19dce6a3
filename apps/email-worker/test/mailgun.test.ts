import { type WorkerProcess, waitFor } from '@mono/test-support'
import { createMailgunError, type MailgunAnswer } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { addressOf, type MailDelivery, test } from './mailgun-setup.js'

const idsOf = (messages: readonly { properties: { messageId?: string } }[]) =>
  messages.map(({ properties }) => properties.messageId).sort()

/** The state of the breaker, as the worker tells it. */
async function readBreaker({ httpUrl }: WorkerProcess): Promise<{ state: string; error?: string }> {
  const { checks } = (await (await fetch(`${httpUrl}/readyz`)).json()) as { checks: { breakers: { mailgun: never } } }
  return checks.breakers.mailgun
}

describe('an answer', () => {
  test('about the mail or its recipient is final', async ({ setup, vhost }) => {
    const mailgun = await setup.createMailgun()
    const invalid = createMailgunError(400, "'to' parameter is not a valid address. please check documentation")
    const rows: [string, MailgunAnswer, string, string][] = [
      ['recipient', invalid, 'MAILGUN_400', 'Mailgun does not take mail for the recipient (HTTP 400: '],
      [
        'mail',
        createMailgunError(400, 'Header name must be pure ASCII'),
        'MAILGUN_400',
        'Mailgun does not take the mail',
      ],
      ['page', { status: 400, body: '<title>Bad Request</title>' }, 'MAILGUN_400', 'Mailgun does not take the mail'],
      ['large', 413, 'MAILGUN_413', 'Mailgun does not take the mail (HTTP 413)'],
    ]
    for (const [id, answer] of rows) mailgun.answer(addressOf(id), answer)
    const worker = await setup.startWorker(mailgun)
    await setup.send('taken')
    await setup.untilDelivery('taken', { state: 'sent' })
    for (const [id] of rows) await setup.send(id)
    for (const [id, , last_code, words] of rows) {
      const { last_reason } = await setup.untilDelivery(id, { state: 'failed', last_code, provider_id: null })
      expect(last_reason).toContain(words)
      expect(last_reason).not.toContain('@')
    }
    const { provider_id } = await setup.untilDelivery('taken', { state: 'sent', last_code: null })
    const [received] = mailgun.received
    expect(received?.messageId).toBe(`<${provider_id}>`)
    const dead = await vhost.drainQueue('email.notifications.dlq', rows.length)
    expect(idsOf(dead)).toEqual(rows.map(([id]) => id).sort())
    expect(dead.map(({ headers }) => headers['x-failure-code'])).toEqual(rows.map(() => 'ALL_RECIPIENTS_FAILED'))
    expect(await readBreaker(worker)).toEqual({ state: 'closed' })
    await worker.terminate()
    expect(mailgun.attempts).toHaveLength(rows.length + 1)
  })

  /** The far end takes those that say so. */
  const doubtful: [string, MailgunAnswer, string, number][] = [
    ['500', { status: 500, delivers: true }, 'MAILGUN_500', 1],
    ['503', { status: 503, body: '<title>Service Unavailable</title>' }, 'MAILGUN_503', 0],
    ['hang', 'hang', 'TIMEOUT', 0],
    ['reset', 'reset', 'CONNECTION_LOST', 0],
    ['drop', 'drop', 'CONNECTION_LOST', 0],
    ['cut', 'reset-after-head', 'UNEXPECTED_ANSWER', 1],
    ['huge', 'huge', 'UNEXPECTED_ANSWER', 1],
    ['queued', { status: 200, body: '{"message":"Queued. Thank you."}' }, 'UNEXPECTED_ANSWER', 1],
  ]

  test('that is lost, or tells nothing, leaves a mail in doubt: with hold it is not sent again', async ({
    setup,
    vhost,
  }) => {
    const mailgun = await setup.createMailgun()
    for (const [id, answer] of doubtful) mailgun.answer(addressOf(id), [answer])
    const worker = await setup.startWorker(mailgun, { EMAIL_ON_UNKNOWN: 'hold' })
    for (const [id, , last_code] of doubtful.filter(([id]) => id !== 'hang')) {
      await setup.send(id)
      await setup.untilDelivery(id, { state: 'unknown', last_code })
      // Five in a row would stop it.
      await setup.send(`beside-${id}`)
      await setup.untilDelivery(`beside-${id}`, { state: 'sent' })
    }
    // Alone, because another row ends the connection. It takes half a minute.
    await setup.send('hang')
    await setup.untilDelivery('hang', { state: 'unknown', last_code: 'TIMEOUT' })
    await worker.terminate()
    for (const [id, , , taken] of doubtful) expect([id, mailgun.receivedBy(addressOf(id)).length]).toEqual([id, taken])
    expect(await vhost.countMessages('email.notifications')).toBe(0)
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
  })

  test('that is lost, or tells nothing, leaves a mail in doubt: with resend it goes again, with the same Message-ID', async ({
    setup,
    vhost,
  }) => {
    await vhost.shortenRetries('email.notifications')
    const mailgun = await setup.createMailgun()
    const rows = doubtful.filter(([id]) => id !== 'hang')
    for (const [id, answer] of rows) mailgun.answer(addressOf(id), [answer])
    const worker = await setup.startWorker(mailgun)
    for (const [id] of rows) {
      await setup.send(id)
      await setup.untilDelivery(id, { state: 'sent', attempts: 2 })
    }
    await worker.terminate()
    for (const [id, , , taken] of rows) {
      const ids = mailgun.receivedBy(addressOf(id)).map(({ messageId }) => messageId)
      expect([id, ids.length, new Set(ids).size]).toEqual([id, taken + 1, 1])
    }
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
  })
})

describe('what is not the mail’s fault defers it, opens the breaker and counts no attempt:', () => {
  const disabled = createMailgunError(400, 'Domain mg.example.com is not allowed to send: The domain is unverified')
  test.for<[string, MailgunAnswer, string, RegExp]>([
    ['a wrong key', { status: 401, body: 'Forbidden' }, 'MAILGUN_401', /check MAILGUN_API_KEY, .*HTTP 401: Forbidden/],
    [
      'another region',
      createMailgunError(404, 'Domain not found: mg.example.com'),
      'MAILGUN_404',
      /check MAILGUN_DOMAIN/,
    ],
    ['no bill paid', 402, 'MAILGUN_402', /does not take mails from us \(HTTP 402\)/],
    ['an account that may not send', disabled, 'MAILGUN_400', /not allowed to send: The domain is unverified/],
    [
      'another server',
      { status: 200, body: 'Mailgun Magnificent API', delivers: false },
      'UNEXPECTED_ANSWER',
      /MAILGUN_ORIGIN/,
    ],
    ['a page elsewhere', { redirect: 'https://example.com/' }, 'MAILGUN_302', /check MAILGUN_ORIGIN/],
    [
      'a status that nobody knows',
      { status: 418, body: 'teapot' },
      'MAILGUN_418',
      /cannot be used \(HTTP 418: teapot\)/,
    ],
  ])('%s', async ([, answer, last_code, words], { setup, vhost, database }) => {
    const mailgun = await setup.createMailgun()
    mailgun.answer('all', answer)
    const worker = await setup.startWorker(mailgun)
    const ids = Array.from({ length: 8 }, (_, index) => `mail-${index}`)
    for (const id of ids) await setup.send(id)
    await waitFor(async () => (await fetch(`${worker.httpUrl}/readyz`)).status === 503, { what: 'it not to be ready' })
    expect(await readBreaker(worker)).toEqual({ state: 'open', error: expect.stringMatching(words) })
    const rows = await database.query<MailDelivery>("SELECT * FROM email.deliveries WHERE state <> 'sending'")
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row).toMatchObject({ state: 'retry', last_code })
    expect(mailgun.received).toEqual([])

    mailgun.answer('all', 200)
    await worker.ready()
    const waited = await bringBack(vhost, { atLeast: 1 })
    expect(waited.map(({ headers }) => headers['x-attempts'] ?? 0)).toEqual(waited.map(() => 0))
    for (const id of ids) await setup.untilDelivery(id, { state: 'sent' })
    expect([...mailgun.counts().values()]).toEqual(ids.map(() => 1))
    await worker.terminate()
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
  })
})

test('while Mailgun is away the backlog stays in its queue, and is sent when it is back', async ({ setup, vhost }) => {
  const mailgun = await setup.createMailgun()
  const worker = await setup.startWorker(mailgun, { PREFETCH: '10' })
  await mailgun.stop()
  const ids = Array.from({ length: 60 }, (_, index) => `mail-${index}`)
  for (const id of ids) await setup.send(id)
  await waitFor(async () => (await fetch(`${worker.httpUrl}/readyz`)).status === 503, { what: 'it not to be ready' })
  expect((await readBreaker(worker)).error).toMatch(/cannot be reached .*ECONNREFUSED/)
  const countDeferred = () => vhost.countMessages('email.notifications.retry.60s')
  const countLeft = async () => (await vhost.countMessages('email.notifications')) + (await countDeferred())
  await waitFor(async () => (await countLeft()) === ids.length, { what: 'nothing in flight' })
  expect(await countDeferred()).toBeLessThanOrEqual(5 + 2 * 10)
  await mailgun.start()
  await worker.ready()
  await bringBack(vhost, { atLeast: 1 })
  for (const id of ids) await setup.untilDelivery(id, { state: 'sent' })
  expect([...mailgun.counts().values()]).toEqual(ids.map(() => 1))
  await worker.terminate()
})

test('an outage with 500 leaves few mails in doubt, and the rest waits for a probe', async ({
  setup,
  vhost,
  database,
}) => {
  const mailgun = await setup.createMailgun()
  mailgun.answer('all', { status: 500, body: 'Internal Server Error' })
  const worker = await setup.startWorker(mailgun, { EMAIL_ON_UNKNOWN: 'hold' })
  const ids = Array.from({ length: 200 }, (_, index) => `mail-${index}`)
  for (const id of ids) await setup.send(id)
  await waitFor(async () => (await fetch(`${worker.httpUrl}/readyz`)).status === 503, { what: 'it not to be ready' })
  expect((await readBreaker(worker)).error).toMatch(/HTTP 500: Internal Server Error/)
  mailgun.answer('all', 200)
  await worker.ready()
  await bringBack(vhost, { atLeast: 1 })
  const countBy = async (state: string) =>
    (await database.query('SELECT FROM email.deliveries WHERE state = $1', [state])).length
  await waitFor(async () => (await countBy('sent')) + (await countBy('unknown')) === ids.length, {
    what: 'all to be sent, but those in doubt',
  })
  // Five, and those that were under way beside them.
  expect(await countBy('unknown')).toBeLessThanOrEqual(25)
  expect(mailgun.received).toHaveLength(await countBy('sent'))
  await worker.terminate()
  expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
})

test('a rate is kept to while mails wait here: nothing is deferred, and each is sent once', async ({
  setup,
  vhost,
  database,
}) => {
  let taken = 0
  let windowEnds = 0
  const limit = () => {
    if (performance.now() > windowEnds) {
      windowEnds = performance.now() + 2_000
      taken = 0
    }
    taken += 1
    return taken > 20 ? createMailgunError(429, 'Too Many Requests', { retryAfter: 1 }) : undefined
  }
  const mailgun = await setup.createMailgun({ limit })
  const worker = await setup.startWorker(mailgun)
  const ids = Array.from({ length: 60 }, (_, index) => `mail-${index}`)
  for (const id of ids) await setup.send(id)
  await waitFor(async () => (await worker.metric('mono_mailgun_paused_seconds')) > 0, {
    what: 'a pause',
    intervalMs: 10,
  })
  expect(await worker.metric('mono_mailgun_concurrency')).toBeLessThan(20)
  await waitFor(() => mailgun.received.length >= ids.length, { what: 'all mails' })
  for (const id of ids) await setup.untilDelivery(id, { state: 'sent', attempts: 1 })
  expect([...mailgun.counts().values()]).toEqual(ids.map(() => 1))
  expect(mailgun.attempts.some(({ answer }) => answer === 429)).toBe(true)
  expect(await vhost.countMessages('email.notifications.retry.60s')).toBe(0)
  expect(await database.query("SELECT FROM email.deliveries WHERE state <> 'sent'")).toEqual([])
  await worker.terminate()
})

test('mails as given and from templates go by Mailgun, each recipient by itself, with our ids', async ({
  setup,
  vhost,
}) => {
  const mailgun = await setup.createMailgun()
  const worker = await setup.startWorker(mailgun, { EMAIL_REPLY_TO: 'Help <help@example.com>' })
  const given = {
    to: ['ada@example.com', 'Bob@Example.com'],
    subject: 'Grüße ✓',
    text: 'Grüße, 你好',
    html: '<p>Grüße, 你好</p>',
    tenantId: 42,
  }
  await vhost.publish('notifications', 'email.send', given, { messageId: 'given' })
  const filled = { to: ['eve@example.com'], subject: '', template: 'welcome', data: { userName: 'Eve' }, tenantId: 7 }
  await vhost.publish('notifications', 'email.template', filled, { messageId: 'filled' })
  await waitFor(() => mailgun.received.length === 3, { what: 'three mails' })
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })

  const [ada] = mailgun.receivedBy('ada@example.com')
  expect(ada).toMatchObject({
    to: ['ada@example.com'],
    subject: 'Grüße ✓',
    text: 'Grüße, 你好',
    html: '<p>Grüße, 你好</p>',
  })
  expect(ada?.headers).toMatchObject({ to: 'ada@example.com', 'reply-to': 'Help <help@example.com>' })
  expect(ada?.headers).not.toHaveProperty('dkim-signature')
  expect(mailgun.received.map(({ fields }) => [fields['v:mono-tenant'], fields['v:mono-message']]).sort()).toEqual([
    ['42', 'given'],
    ['42', 'given'],
    ['7', 'filled'],
  ])
  const [bob] = mailgun.receivedBy('bob@example.com')
  // The hash is that of the address in its normal form, as the ledger has it.
  const hash = '5ff860bf1190596c7188ab851db691f0f3169c453936e9e1eba2f9a47f7a0018'
  expect(bob?.fields['v:mono-recipient']).toBe(hash)
  expect(mailgun.received.every(({ fields }) => fields['o:tracking'] === 'no')).toBe(true)
  expect(JSON.stringify(worker.logs) + worker.stderr).not.toContain(mailgun.apiKey)
})

test('SIGTERM lets what is on its way arrive', async ({ setup, vhost }) => {
  const mailgun = await setup.createMailgun()
  mailgun.answer('all', { status: 200, delayMs: 1_000 })
  const worker = await setup.startWorker(mailgun)
  await setup.send('ada')
  await waitFor(() => mailgun.received.length === 1, { what: 'the mail', intervalMs: 5 })
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  await setup.untilDelivery('ada', { state: 'sent' })
  expect(await vhost.countMessages('email.notifications')).toBe(0)
})

test('settings that do not fit end the worker at the start, and show no key', async ({ workers }) => {
  const worker = workers.spawn('email-worker', {
    RABBITMQ_URL: 'amqp://a:b@localhost/mono',
    DATABASE_URL: 'postgres://a:b@localhost/mono',
    EMAIL_FROM: 'mono@example.com',
    MAILGUN_API_KEY: 'api:key-s3cret',
    MAILGUN_DOMAIN: 'mg.example.org',
    MAILGUN_ORIGIN: 'http://api.mailgun.net',
  })
  expect(await worker.exited).toEqual({ code: 1, signal: null })
  expect(worker.stderr).toMatch(/3 faults:/)
  expect(worker.stderr).toMatch(/MAILGUN_API_KEY: expected a key of Mailgun .*; found one with "api:"/)
  expect(worker.stderr).toMatch(/MAILGUN_ORIGIN: expected an origin such as https:\/\/api\.mailgun\.net/)
  expect(worker.stderr).toMatch(/MAILGUN_DOMAIN: expected example\.com, .* \(DMARC\); found mg\.example\.org/)
  expect(worker.stderr).not.toContain('s3cret')
})
