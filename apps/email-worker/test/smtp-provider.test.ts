import { once, setMaxListeners } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test, waitFor } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import type { Envelope, Mail } from '../src/email-provider.js'
import { parseSmtpUrl, type SmtpTimeLimits } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'
import { createSilentSmtpProxy } from './failover/silent-smtp-proxy.js'

const mail: Mail = {
  from: { name: 'Mono', address: 'mono@example.com' },
  to: { address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Good morning',
  html: '<p>Good morning</p>',
  messageId: '<1@example.com>',
}
const envelope: Envelope = { from: 'mono@example.com', to: ['ada@example.com'] }
const { signal } = new AbortController()
setMaxListeners(0, signal)

const quick: SmtpTimeLimits = { greetingTimeoutMs: 1500, commandTimeoutMs: 3000, finalDotTimeoutMs: 3000 }
const withPassword = '?tls=off'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

async function setUp(cleanUp: CleanUp, { parameters = '', limits = quick, credentials = '' } = {}) {
  const sink = await createSmtpSink()
  cleanUp(() => sink.close())
  const settings = parseSmtpUrl(`${sink.url.replace('//', `//${credentials}`)}${parameters}`)
  const provider = createSmtpProvider({ ...settings, ...limits })
  cleanUp(() => provider.close())
  const send = (fields: Partial<Mail> = {}, to = [fields.to?.address ?? envelope.to[0] ?? '']) =>
    provider.send({ ...mail, ...fields }, { ...envelope, to }, signal)
  return { sink, provider, send }
}

/** A server that does what it likes. */
async function listen(cleanUp: CleanUp, onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(() => server.close())
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const failure = (outcome: string, code: string) => expect.objectContaining({ name: 'SendError', outcome, code })

describe('what is sent', () => {
  test('a mail arrives as it is, with our Message-ID, from and to whom the envelope says', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    const receipt = await send()
    expect(receipt).toEqual({ providerId: '<1@example.com>', accepted: ['ada@example.com'], rejected: [] })
    expect(sink.received).toMatchObject([
      {
        from: 'mono@example.com',
        to: ['ada@example.com'],
        subject: 'Hello',
        text: 'Good morning',
        html: '<p>Good morning</p>',
        messageId: '<1@example.com>',
        headers: {
          from: 'Mono <mono@example.com>',
          to: 'ada@example.com',
          'auto-submitted': 'auto-generated',
        },
      },
    ])
  })

  test('answers go to the sender, or where the mail says', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    await send()
    await send({ replyTo: { address: 'help@müller.example' } })
    await send({ replyTo: { name: 'Hilfe, "Rat" & Tat ✓', address: 'help@example.com' } })
    expect(sink.received[0]?.headers).not.toHaveProperty('reply-to')
    expect(sink.received[1]?.headers['reply-to']).toBe('help@xn--mller-kva.example')
    expect(sink.received[2]?.headers['reply-to']).toMatch(/^=\?UTF-8\?.* <help@example\.com>$/)
  })

  test('text of any language and any line length arrives unchanged', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    const text = `Grüße, 你好\n.\n..\nFrom here ${'long '.repeat(1000)}end`
    await send({ text, subject: 'Grüße ✓', from: { name: 'Jürgen "J" Müller, Mono', address: 'mono@example.com' } })
    expect(sink.received[0]?.text?.trim()).toBe(text)
    expect(sink.received[0]?.subject).toBe('Grüße ✓')
    expect(sink.received[0]?.headers.from).toContain('<mono@example.com>')
  })

  test.for<[string, Partial<Mail>]>([
    ['the subject', { subject: 'Hello\r\nBcc: eve@example.com' }],
    ['the sender’s name', { from: { name: 'Mono\r\nBcc: eve@example.com', address: 'mono@example.com' } }],
    ['the Message-ID', { messageId: '<1@example.com>\r\nBcc: eve@example.com' }],
  ])('a line break in %s makes no header', async ([, fields], { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    await send(fields)
    expect(sink.received[0]?.headers).not.toHaveProperty('bcc')
    expect(sink.received[0]?.to).toEqual(['ada@example.com'])
  })

  test.for([
    'ada@example.com\r\nRCPT TO:<eve@example.com>',
    'ada@example.com>\r\nRCPT TO:<eve@example.com',
    'ada@example.com, eve@example.com',
    'ada@example.com;eve@example.com',
    'ada@example.com@eve.example',
    'Ada <ada@example.com>',
    'ada(eve)@example.com',
    `${'a'.repeat(250)}@example.com`,
  ])('the address %j reaches no server, in the header or in the envelope', async (address, { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    await expect(send({ to: { address } }, ['ada@example.com'])).rejects.toEqual(
      failure('permanent', 'INVALID_ADDRESS'),
    )
    await expect(send({ replyTo: { address } })).rejects.toEqual(failure('permanent', 'INVALID_ADDRESS'))
    await expect(send({}, [address])).rejects.toEqual(failure('permanent', 'INVALID_ADDRESS'))
    expect(sink.received).toEqual([])
    expect(sink.connections).toBe(0)
  })

  test('a body that names a file or a URL is not read', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    // A body is text to our types; whoever gets around them is refused by the transport.
    const asText = (value: unknown) => value as string
    const readFile = send({ html: asText({ path: '/etc/hostname' }) })
    await expect(readFile).rejects.toEqual(failure('permanent', 'ESTREAM_EFILEACCESS'))
    const readUrl = send({ text: asText({ href: `http://127.0.0.1:${sink.port}/` }) })
    await expect(readUrl).rejects.toEqual(failure('permanent', 'ESTREAM_EURLACCESS'))
    expect(sink.received).toEqual([])
  })

  test('fields that a mail should not have are not passed on', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    const more = { bcc: 'eve@example.com', inReplyTo: '<eve@example.com>', headers: { 'x-evil': '1' }, raw: 'raw' }
    await send(more as Partial<Mail>)
    expect(sink.received[0]?.subject).toBe('Hello')
    expect(sink.received[0]?.headers).not.toHaveProperty('in-reply-to')
    expect(sink.received[0]?.headers).not.toHaveProperty('x-evil')
    expect(sink.received[0]?.to).toEqual(['ada@example.com'])
  })
})

describe('what the server answers', () => {
  test('a refused recipient is a receipt, not an error', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('ada@example.com', ['rcpt 550', 'rcpt 451'])
    const rejection = {
      address: 'ada@example.com',
      code: 'SMTP_550',
      permanent: true,
      reason: expect.stringContaining('550'),
    }
    expect(await send()).toEqual({ providerId: '', accepted: [], rejected: [rejection] })
    expect((await send()).rejected).toEqual([
      { ...rejection, code: 'SMTP_451', permanent: false, reason: expect.stringContaining('451') },
    ])
    expect((await send()).rejected).toEqual([])
  })

  test('of several recipients each is accepted or rejected by itself', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('b@example.com', 'rcpt 550')
    sink.answer('c@example.com', 'rcpt 450')
    expect(await send({}, ['a@example.com', 'b@example.com', 'c@example.com'])).toMatchObject({
      accepted: ['a@example.com'],
      rejected: [
        { address: 'b@example.com', code: 'SMTP_550', permanent: true },
        { address: 'c@example.com', code: 'SMTP_450', permanent: false },
      ],
    })
    expect(sink.received[0]?.to).toEqual(['a@example.com'])
  })

  test.for([
    ['data 554', 'permanent', 'SMTP_554'],
    ['data 451', 'transient', 'SMTP_451'],
    ['mail 550', 'provider', 'SMTP_550'],
    ['mail 451', 'provider', 'SMTP_451'],
    ['greeting 421', 'provider', 'SMTP_421'],
    ['greeting 554', 'provider', 'SMTP_554'],
    ['hang-at-greeting', 'provider', 'ETIMEDOUT'],
    ['drop-after-data', 'unknown', 'ECONNECTION'],
    ['hang-after-data', 'unknown', 'ETIMEDOUT'],
  ] as const)('%s is %s, and the next mail is sent', async ([answer, outcome, code], { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('all', [answer])
    await expect(send()).rejects.toEqual(failure(outcome, code))
    expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test.for([
    ['drop-before-data', 'Good morning'],
    ['drop-in-data', 'a line of text\n'.repeat(2_000_000)],
  ] as const)('a mail whose end was not sent goes over another connection: %s', async ([answer, text], { cleanUp }) => {
    const limits = { ...quick, commandTimeoutMs: 20_000, finalDotTimeoutMs: 20_000 }
    const { sink, send } = await setUp(cleanUp, { limits })
    sink.answer('all', [answer])
    expect(await send({ text })).toMatchObject({ accepted: ['ada@example.com'] })
    expect(sink.received).toHaveLength(1)
  })

  test('a mail over which each connection ends is not tried for ever, and counts no attempt', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('all', 'drop-before-data')
    await expect(send()).rejects.toEqual(failure('provider', 'ECONNECTION'))
  })

  test('of a small mail it may be unknown: its end may have been on its way', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('all', ['drop-in-data'])
    const result = await send().catch(({ outcome }: { outcome: string }) => outcome)
    if (result !== 'unknown') expect(result).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test('a refused login is the provider’s problem, though SMTP calls it permanent', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { credentials: 'mono:wrong@', parameters: withPassword })
    sink.answer('all', ['auth 535', 'auth 454'])
    await expect(send()).rejects.toEqual(failure('provider', 'SMTP_535'))
    await expect(send()).rejects.toEqual(failure('provider', 'SMTP_454'))
    expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test('a server that is away is the provider’s problem', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    await sink.stop()
    await expect(send()).rejects.toEqual(failure('provider', 'ESOCKET_ECONNREFUSED'))
    await sink.start()
    expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test('so is one that hangs up before its greeting', async ({ cleanUp }) => {
    const url = await listen(cleanUp, (socket) => socket.destroy())
    const provider = createSmtpProvider({ ...parseSmtpUrl(url), ...quick })
    cleanUp(() => provider.close())
    await expect(provider.send(mail, envelope, signal)).rejects.toEqual(failure('provider', 'ECONNECTION'))
  })

  test('a server without STARTTLS is refused where it is required', async ({ cleanUp }) => {
    const { sink } = await setUp(cleanUp)
    const provider = createSmtpProvider({ ...parseSmtpUrl(`${sink.url}?tls=required`), ...quick })
    cleanUp(() => provider.close())
    await expect(provider.send(mail, envelope, signal)).rejects.toEqual(failure('provider', 'SMTP_500'))
    expect(sink.received).toEqual([])
  })
})

describe('how it is sent', () => {
  test('a connection that the server closed while it was idle is no failure', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    await send()
    await sink.stop()
    await sink.start()
    expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
    expect(sink.received).toHaveLength(2)
  })

  test('no more mails than connections are on their way, and each is sent once', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { parameters: '?maxConnections=3' })
    sink.answer('all', 'delay 30')
    let most = 0
    const sending = Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        await send({ to: { address: `user-${index}@example.com` } })
        most = Math.max(most, sink.connections)
      }),
    )
    await sending
    expect(most).toBe(3)
    expect([...sink.counts().values()]).toEqual(Array.from({ length: 30 }, () => 1))
  })

  test('waiting for a connection does not count against a mail’s time', async ({ cleanUp }) => {
    const limits = { greetingTimeoutMs: 300, commandTimeoutMs: 100, finalDotTimeoutMs: 500 }
    const { sink, send } = await setUp(cleanUp, { parameters: '?maxConnections=1', limits })
    sink.answer('all', 'delay 200')
    await Promise.all(Array.from({ length: 5 }, () => send()))
    expect(sink.received).toHaveLength(5)
  })

  test('a server that answers one byte at a time is given up at the deadline', async ({ cleanUp }) => {
    const url = await listen(cleanUp, (socket) => {
      const timer = setInterval(() => socket.write('220-\r\n'), 50)
      socket.on('error', () => undefined).on('close', () => clearInterval(timer))
    })
    const limits = { greetingTimeoutMs: 300, commandTimeoutMs: 10_000, finalDotTimeoutMs: 10_000 }
    const provider = createSmtpProvider({ ...parseSmtpUrl(url), ...limits })
    cleanUp(() => provider.close())
    await expect(provider.send(mail, envelope, signal)).rejects.toEqual(failure('provider', 'ETIMEDOUT'))
  })

  test('a mail that is given up after it was handed over is unknown', async ({ cleanUp }) => {
    const { sink, provider } = await setUp(cleanUp, { limits: { ...quick, finalDotTimeoutMs: 10_000 } })
    sink.answer('all', ['hang-after-data'])
    const controller = new AbortController()
    const sending = provider.send(mail, envelope, controller.signal)
    const failed = expect(sending).rejects.toEqual(failure('unknown', 'EABORT'))
    await waitFor(() => sink.received.length === 1, { what: 'the mail to be handed over' })
    controller.abort(new Error('stopping'))
    await failed
  })

  test('a mail that is given up before it was handed over was not sent, and has not failed', async ({ cleanUp }) => {
    const url = await listen(cleanUp, (socket) => cleanUp(() => socket.destroy()))
    const provider = createSmtpProvider({ ...parseSmtpUrl(url), ...quick })
    cleanUp(() => provider.close())
    const controller = new AbortController()
    const reason = new Error('stopping')
    const sending = provider.send(mail, envelope, controller.signal)
    controller.abort(reason)
    await expect(sending).rejects.toBe(reason)
  })

  test('a mail that is given up while it waits for a connection was not sent', async ({ cleanUp }) => {
    const { sink, provider, send } = await setUp(cleanUp, { parameters: '?maxConnections=1' })
    sink.answer('all', ['delay 200'])
    const first = send()
    const controller = new AbortController()
    const reason = new Error('stopping')
    const waiting = provider.send(mail, envelope, controller.signal)
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await first
    expect(sink.received).toHaveLength(1)
  })
})

describe('a mail that is to go by another provider', () => {
  const withdrawn = 'goes by another'

  test.for(['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA'] as const)(
    'is given back by a server that hangs at %s, which has not taken it',
    async (stage, { cleanUp }) => {
      const sink = await createSmtpSink()
      cleanUp(() => sink.close())
      const proxy = await createSilentSmtpProxy(sink.url)
      cleanUp(() => proxy.close())
      proxy.fallSilent(stage)
      const provider = createSmtpProvider(parseSmtpUrl(proxy.url))
      cleanUp(() => provider.close())
      const withdraw = new AbortController()
      const sending = expect(provider.send(mail, envelope, signal, { withdraw: withdraw.signal })).rejects.toBe(
        withdrawn,
      )
      await waitFor(() => proxy.isMet, { what: 'the server to hang' })
      withdraw.abort(withdrawn)
      await sending
      expect(sink.received).toEqual([])
    },
  )

  test('stays where it was handed over, and waits for the answer', async ({ cleanUp }) => {
    const { sink, provider } = await setUp(cleanUp)
    sink.answer('all', ['delay 300'])
    const withdraw = new AbortController()
    const sending = provider.send(mail, envelope, signal, { withdraw: withdraw.signal })
    await waitFor(() => sink.received.length === 1, { what: 'the mail to be handed over' })
    withdraw.abort(withdrawn)
    expect(await sending).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test('is given back while it waits for its turn', async ({ cleanUp }) => {
    const { sink, provider, send } = await setUp(cleanUp, { parameters: '?maxConnections=1' })
    sink.answer('all', ['delay 200'])
    const first = send()
    const withdraw = new AbortController()
    const waiting = provider.send(mail, envelope, signal, { withdraw: withdraw.signal })
    withdraw.abort(withdrawn)
    await expect(waiting).rejects.toBe(withdrawn)
    await first
    expect(sink.received).toHaveLength(1)
  })
})

describe('a probe', () => {
  test('succeeds with a server that takes our login, and sends nothing', async ({ cleanUp }) => {
    const { sink, provider } = await setUp(cleanUp, { credentials: 'mono:secret@', parameters: withPassword })
    await provider.probe()
    expect(sink.received).toEqual([])
  })

  test('fails while the server is away, and succeeds when it is back', async ({ cleanUp }) => {
    const { sink, provider } = await setUp(cleanUp)
    await sink.stop()
    await expect(provider.probe()).rejects.toThrow(/ECONNREFUSED/)
    await sink.start()
    await provider.probe()
  })

  test('fails with a server that refuses our login', async ({ cleanUp }) => {
    const { sink, provider } = await setUp(cleanUp, { credentials: 'mono:wrong@', parameters: withPassword })
    sink.answer('all', 'auth 535')
    await expect(provider.probe()).rejects.toThrow(/535/)
  })

  test('has the patience of those who send', async ({ cleanUp }) => {
    const url = await listen(cleanUp, (socket) => cleanUp(() => socket.destroy()))
    const provider = createSmtpProvider({ ...parseSmtpUrl(url), ...quick, greetingTimeoutMs: 400 })
    cleanUp(() => provider.close())
    const since = performance.now()
    await expect(provider.probe()).rejects.toThrow(/[Gg]reeting/)
    expect(performance.now() - since).toBeGreaterThanOrEqual(399)
  })
})

test('a provider knows when the server last took a mail; a recipient who is refused is none', async ({ cleanUp }) => {
  const { sink, provider, send } = await setUp(cleanUp)
  await provider.probe()
  sink.answer('ada@example.com', ['rcpt 550'])
  await send()
  expect(provider.tookAt).toBe(0)
  const since = performance.now()
  await send()
  expect(provider.tookAt).toBeGreaterThan(since)
})
