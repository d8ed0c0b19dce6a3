import { once, setMaxListeners } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test, waitFor } from '@mono/test-support'
import {
  createMailgunError,
  createMailgunService,
  createSmtpSink,
  type MailgunAnswer,
  type MailgunServiceOptions,
} from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import type { Envelope, Mail } from '../src/email-provider.js'
import type { MailgunSettings } from '../src/mailgun/mailgun-env.js'
import { createMailgunProvider, type MailgunOptions } from '../src/mailgun/mailgun-provider.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'

const mail: Mail = {
  from: { name: 'Mono', address: 'mono@example.com' },
  to: { address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Good morning',
  html: '<p>Good morning</p>',
  messageId: '<1@example.com>',
  ids: { tenantId: 42, messageId: 'm1', recipient: 'ada@example.com' },
}
const { signal } = new AbortController()
setMaxListeners(0, signal)

type CleanUp = (release: () => Promise<unknown> | unknown) => void

interface Setup {
  service?: MailgunServiceOptions
  settings?: Partial<MailgunSettings>
  options?: MailgunOptions
}

async function setUp(cleanUp: CleanUp, { service: serviceOptions, settings, options }: Setup = {}) {
  const service = await createMailgunService(serviceOptions)
  cleanUp(() => service.close())
  const { apiKey, domain, origin, ca } = service
  const provider = createMailgunProvider({ apiKey, domain, origin, ...settings }, { ca, ...options })
  cleanUp(() => provider.close())
  const send = (fields: Partial<Mail> = {}, to = [fields.to?.address ?? 'ada@example.com'], within = signal) =>
    provider.send({ ...mail, ...fields }, { from: 'mono@example.com', to }, within)
  const sendTo = (index: number) => send({ to: { address: `user-${index}@example.com` }, messageId: `<${index}@x.y>` })
  const sendMany = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => sendTo(index)))
  return { service, provider, send, sendMany }
}

const failure = (outcome: string, code: string, words = /./) =>
  expect.objectContaining({ name: 'SendError', outcome, code, message: expect.stringMatching(words) })

describe.each(['h2', 'http/1.1'] as const)('over %s', (protocol) => {
  test('a mail arrives as it is, with our Message-ID and our ids', async ({ cleanUp }) => {
    const { service, provider, send } = await setUp(cleanUp, { service: { protocols: [protocol] } })
    const since = performance.now()
    const receipt = await send()
    expect(receipt).toEqual({ providerId: '1@example.com', accepted: ['ada@example.com'], rejected: [] })
    expect(provider.tookAt).toBeGreaterThan(since)
    expect(service.attempts).toMatchObject([{ protocol }])
    expect(service.received).toMatchObject([
      {
        to: ['ada@example.com'],
        subject: 'Hello',
        text: 'Good morning',
        html: '<p>Good morning</p>',
        messageId: '<1@example.com>',
        headers: { from: 'Mono <mono@example.com>', to: 'ada@example.com', 'auto-submitted': 'auto-generated' },
      },
    ])
    expect(service.received[0]?.fields).toEqual({
      to: 'ada@example.com',
      'o:tracking': 'no',
      'v:mono-tenant': '42',
      'v:mono-message': 'm1',
      'v:mono-recipient': 'b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72',
    })
  })

  test('many mails arrive once each, twenty at a time', async ({ cleanUp }) => {
    const { service, sendMany } = await setUp(cleanUp, { service: { protocols: [protocol] } })
    service.answer('all', { status: 200, delayMs: 20 })
    await sendMany(100)
    expect([...service.counts().values()]).toEqual(Array(100).fill(1))
    expect(service.connections).toBeLessThanOrEqual(20)
  })
})

/** Byte by byte, but for what is made anew for each. */
const comparable = (raw: Buffer | undefined) =>
  raw
    ?.toString()
    .replaceAll(/_NmP-[0-9a-f]+/g, '_NmP-')
    .replace(/^Date: .*$/m, 'Date:')
    .trimEnd()

describe('a mail that goes over SMTP too', () => {
  test.for<[string, Partial<Mail>]>([
    ['plain text', { html: undefined as unknown as string }],
    ['text and HTML', {}],
    [
      'other letters',
      {
        subject: 'Grüße ✓',
        text: 'Grüße, 你好\n.\n..\n\nFrom here',
        from: { name: 'Jürgen', address: 'mono@example.com' },
      },
    ],
    [
      'very long lines',
      { subject: 'x'.repeat(1_500), text: `${'long '.repeat(1000)}end`, html: `<p>${'x'.repeat(5_000)}</p>` },
    ],
    ['another place for answers', { replyTo: { name: 'Hilfe, "Rat" & Tat ✓', address: 'help@müller.example' } }],
    ['line breaks of every kind', { text: 'a\nb\r\nc\n\n\r\nd\n' }],
    [
      'line breaks in headers',
      { subject: 'Hello\r\nBcc: eve@example.com', messageId: '<1@example.com>\r\nBcc: eve@example.com' },
    ],
    ['a recipient with other letters', { to: { address: 'zoë@example.com' } }],
  ])('is the same, with %s', async ([_what, fields], { cleanUp }) => {
    const { html, ...rest } = { ...mail, ...fields }
    const given: Mail = html === undefined ? rest : { ...rest, html }
    const envelope: Envelope = { from: 'mono@example.com', to: [given.to.address] }
    const { service, provider } = await setUp(cleanUp)
    const sink = await createSmtpSink()
    cleanUp(() => sink.close())
    const smtp = createSmtpProvider(parseSmtpUrl(sink.url))
    cleanUp(() => smtp.close())
    await provider.send(given, envelope, signal)
    await smtp.send(given, envelope, signal)
    expect(comparable(service.received[0]?.raw)).toBe(comparable(sink.received[0]?.raw))
    expect(service.received[0]?.fields.to).toBe(given.to.address)
  })
})

describe('nothing is sent', () => {
  test.for([
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com, eve@example.com',
    'Ada <ada@example.com>',
    `${'a'.repeat(250)}@example.com`,
  ])('to the address %j', async (address, { cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    await expect(send({ to: { address } }, ['ada@example.com'])).rejects.toEqual(
      failure('permanent', 'INVALID_ADDRESS'),
    )
    await expect(send({}, [address])).rejects.toEqual(failure('permanent', 'INVALID_ADDRESS'))
    expect(service.attempts).toEqual([])
  })

  test('to two recipients at once', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    await expect(send({}, ['ada@example.com', 'bob@example.com'])).rejects.toThrow(TypeError)
    expect(service.attempts).toEqual([])
  })

  test('of a file or a URL that a body names', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    const asText = (value: unknown) => value as string
    await expect(send({ html: asText({ path: '/etc/hostname' }) })).rejects.toEqual(failure('permanent', 'EFILEACCESS'))
    await expect(send({ text: asText({ href: service.origin }) })).rejects.toEqual(failure('permanent', 'EURLACCESS'))
    expect(service.attempts).toEqual([])
  })
})

describe('without an answer', () => {
  test.for<[MailgunAnswer, string]>([
    ['hang', 'TIMEOUT'],
    ['reset', 'CONNECTION_LOST'],
    ['drop', 'CONNECTION_LOST'],
    ['goaway-drop', 'CONNECTION_LOST'],
  ])('by %s, a mail may have been taken, and is not sent again here', async ([answer, code], { cleanUp }) => {
    const { service, provider, send } = await setUp(cleanUp, { options: { timeoutMs: 500 } })
    service.answer('all', [answer])
    await expect(send()).rejects.toEqual(failure('unknown', code, /^Mailgun had the mail, but its answer was lost/))
    expect(service.attempts).toHaveLength(1)
    expect(provider.tookAt).toBe(0)
  })

  test.for<MailgunAnswer>(['reset-after-head', 'trickle', 'huge'])(
    'that says the id, by %s, a mail may have been taken',
    async (answer, { cleanUp }) => {
      const { service, send } = await setUp(cleanUp, { options: { timeoutMs: 500 } })
      service.answer('all', [answer])
      await expect(send()).rejects.toEqual(failure('unknown', 'UNEXPECTED_ANSWER'))
    },
  )

  test('because nobody listens, a mail was not sent', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    await service.stop()
    await expect(send()).rejects.toEqual(failure('provider', 'CONNECTION_FAILED', /cannot be reached .*ECONNREFUSED/))
    await service.start()
    await send()
    expect(service.received).toHaveLength(1)
  })

  test('because the certificate is not trusted, a mail was not sent', async ({ cleanUp }) => {
    const { send } = await setUp(cleanUp, { options: { ca: undefined as unknown as string } })
    await expect(send()).rejects.toEqual(failure('provider', 'CONNECTION_FAILED', /SELF_SIGNED_CERT/))
  })

  test('goes on over another session when one is ended in order', async ({ cleanUp }) => {
    const { service, sendMany } = await setUp(cleanUp)
    service.answer('user-3@example.com', ['goaway'])
    await sendMany(40)
    expect([...service.counts().values()]).toEqual(Array(40).fill(1))
  })
})

describe('a stop', () => {
  const reason = new Error('stopping')

  test('of a mail that waits for its turn was before it was sent', async ({ cleanUp }) => {
    const { service, send, sendMany } = await setUp(cleanUp)
    service.answer('all', { status: 200, delayMs: 300 })
    const others = sendMany(20)
    const stopping = new AbortController()
    const waiting = send({}, undefined, stopping.signal)
    stopping.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await others
    expect(service.receivedBy('ada@example.com')).toEqual([])
  })

  test('of a mail that waits for a connection was before it was sent', async ({ cleanUp }) => {
    const silent = createServer((socket) => cleanUp(() => socket.destroy())).listen(0, '127.0.0.1')
    cleanUp(() => silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { send } = await setUp(cleanUp, { settings: { origin: `https://127.0.0.1:${port}` } })
    const stopping = new AbortController()
    const connected = once(silent, 'connection')
    const sending = send({}, undefined, stopping.signal)
    await connected
    stopping.abort(reason)
    await expect(sending).rejects.toBe(reason)
  })

  test('of a mail that was handed over leaves it in doubt', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    service.answer('all', 'hang')
    const stopping = new AbortController()
    const sending = send({}, undefined, stopping.signal)
    await waitFor(() => service.attempts.length === 1, { what: 'the request' })
    stopping.abort(reason)
    await expect(sending).rejects.toEqual(failure('unknown', 'TIMEOUT'))
  })
})

describe('the rate', () => {
  test('of ten mails in two seconds is kept to, and every mail is taken once', async ({ cleanUp }) => {
    let windowEnds = 0
    let taken = 0
    const limit = () => {
      if (performance.now() > windowEnds) {
        windowEnds = performance.now() + 2000
        taken = 0
      }
      taken += 1
      return taken > 10 ? createMailgunError(429, 'Too Many Requests') : undefined
    }
    const { service, provider, sendMany } = await setUp(cleanUp, { service: { limit } })
    await sendMany(40)
    expect([...service.counts().values()]).toEqual(Array(40).fill(1))
    expect(provider.concurrency).toBeLessThan(20)
  })

  test('is waited for as long as Mailgun says', async ({ cleanUp }) => {
    const { service, provider, send } = await setUp(cleanUp)
    const at = Math.ceil(Date.now() / 1000) + 2
    const headers = { 'x-ratelimit-reset': String(at) }
    service.answer('all', [createMailgunError(429, 'Too Many Requests', { headers })])
    const sending = send()
    await waitFor(() => provider.pausedForMs > 0, { what: 'the pause', intervalMs: 5 })
    expect(provider.concurrency).toBe(10)
    await sending
    // The header has whole seconds, by the clock.
    expect(Date.now()).toBeGreaterThanOrEqual(at * 1000 - 1_000)
    expect(service.attempts.map(({ answer }) => answer)).toEqual([429, 200])
  })

  test('that nobody waits for lets Mailgun alone: no mail and no probe until then', async ({ cleanUp }) => {
    const { service, provider, send } = await setUp(cleanUp)
    service.answer('all', createMailgunError(429, 'daily request limit (100) exceeded', { retryAfter: 3_000 }))
    const slow = failure('provider', 'MAILGUN_429', /wants mails more slowly .*daily request limit/)
    await expect(send()).rejects.toEqual(slow)
    service.answer('all', 200)
    await expect(send()).rejects.toEqual(slow)
    await expect(provider.probe()).rejects.toEqual(slow)
    expect(service.attempts).toHaveLength(1)
  })
})

test('after five mails in doubt in a row there are no more until a probe is answered, and then one', async ({
  cleanUp,
}) => {
  const { service, provider, send } = await setUp(cleanUp)
  service.answer('ada@example.com', { status: 503, delivers: true })
  const unknown = failure('unknown', 'MAILGUN_503')
  for (let index = 0; index < 5; index += 1) await expect(send()).rejects.toEqual(unknown)
  const stopped = failure('provider', 'MAILGUN_503', /gets none until it answers a probe/)
  await expect(send()).rejects.toEqual(stopped)
  expect(service.received).toHaveLength(5)
  await provider.probe()
  // One tries, and the others wait for its outcome.
  const many = await Promise.allSettled(Array.from({ length: 30 }, () => send()))
  const reasons = many.map((each) => each.status === 'rejected' && each.reason)
  expect(reasons).toEqual([unknown, ...Array(29).fill(stopped)])
  expect(service.received).toHaveLength(6)
  await provider.probe()
  service.answer('ada@example.com', 200)
  await send()
  service.answer('ada@example.com', [503, 503, 503, 503, 200])
  for (let index = 0; index < 4; index += 1) await expect(send()).rejects.toEqual(unknown)
  await send()
})

describe('a probe', () => {
  test('succeeds if key, domain and region are right, and sends nothing', async ({ cleanUp }) => {
    const { service, provider } = await setUp(cleanUp)
    await provider.probe()
    expect(service.received).toEqual([])
    expect(service.attempts).toMatchObject([{ answer: 400, reason: 'to parameter is missing' }])
  })

  const eu = [{ name: 'mg.example.com', region: 'eu' }] as const
  test.for<[string, Setup, string, RegExp]>([
    ['a wrong key', { settings: { apiKey: 'key-0' } }, 'MAILGUN_401', /check MAILGUN_API_KEY, .*HTTP 401: Forbidden/],
    [
      'a wrong domain',
      { settings: { domain: 'example.com' } },
      'MAILGUN_404',
      /check MAILGUN_DOMAIN, .*Domain not found/,
    ],
    ['another region', { service: { domains: eu } }, 'MAILGUN_404', /MAILGUN_ORIGIN is of its region/],
  ])('fails with %s, which it names', async ([_what, setup, code, words], { cleanUp }) => {
    const { provider, send } = await setUp(cleanUp, setup)
    await expect(provider.probe()).rejects.toEqual(failure('provider', code, words))
    await expect(send()).rejects.toEqual(failure('provider', code, words))
  })

  test.for<[MailgunAnswer, RegExp]>([
    [{ status: 200, body: 'Mailgun Magnificent API', delivers: false }, /check MAILGUN_ORIGIN/],
    [{ status: 200, body: '{"id":"1"}', delivers: false }, /what answers is no Mailgun/],
    [500, /HTTP 500/],
    [429, /more slowly/],
    [createMailgunError(400, 'Your account is disabled'), /Your account is disabled/],
    ['reset', /answer was lost/],
  ])('fails with %j', async ([answer, words], { cleanUp }) => {
    const { service, provider } = await setUp(cleanUp)
    service.answer('all', answer)
    await expect(provider.probe()).rejects.toThrow(words)
  })

  test('fails while nobody listens', async ({ cleanUp }) => {
    const { service, provider } = await setUp(cleanUp)
    await service.stop()
    await expect(provider.probe()).rejects.toThrow(/ECONNREFUSED/)
    await service.start()
    await provider.probe()
  })
})

describe('a mail that is to go by another provider', () => {
  const withdrawn = 'goes by another'

  test('is given back while it waits for a pause to end', async ({ cleanUp }) => {
    const { service, provider } = await setUp(cleanUp)
    service.answer('all', [{ status: 429, retryAfter: 60 }])
    const withdraw = new AbortController()
    const envelope = { from: 'mono@example.com', to: ['ada@example.com'] }
    const waiting = provider.send(mail, envelope, signal, { withdraw: withdraw.signal })
    await waitFor(() => provider.pausedForMs > 0, { what: 'the pause' })
    withdraw.abort(withdrawn)
    await expect(waiting).rejects.toBe(withdrawn)
    expect(service.received).toEqual([])
  })

  test('stays where it is asked for, and waits for the answer', async ({ cleanUp }) => {
    const { service, provider } = await setUp(cleanUp)
    service.answer('all', [{ status: 200, delayMs: 300 }])
    const withdraw = new AbortController()
    const envelope = { from: 'mono@example.com', to: ['ada@example.com'] }
    const sending = provider.send(mail, envelope, signal, { withdraw: withdraw.signal })
    await waitFor(() => service.received.length === 1, { what: 'the request' })
    withdraw.abort(withdrawn)
    expect(await sending).toMatchObject({ accepted: ['ada@example.com'] })
  })
})
