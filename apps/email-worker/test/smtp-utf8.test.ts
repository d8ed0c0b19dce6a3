import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import type { Mail } from '../src/email-provider.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

const { signal } = new AbortController()

async function setUp(cleanUp: CleanUp, options: { smtpUtf8: boolean; starttls?: boolean }) {
  const sink = await createSmtpSink(options)
  cleanUp(() => sink.close())
  const limits = { greetingTimeoutMs: 1_500, commandTimeoutMs: 3_000, finalDotTimeoutMs: 3_000 }
  const provider = createSmtpProvider({ ...parseSmtpUrl(sink.url), ...limits })
  cleanUp(() => provider.close())
  const send = (to: string, fields: Partial<Mail> = {}) => {
    const from = fields.from ?? { name: 'Mono', address: 'mono@example.com' }
    const mail = { from, to: { address: to }, subject: 's', text: 't', messageId: '<1@example.com>', ...fields }
    return provider.send(mail, { from: from.address, to: [to] }, signal)
  }
  return { sink, send }
}

/** A server that takes everything and offers nothing; the sink shows domains in the letters of their language. */
async function listen(cleanUp: CleanUp) {
  let received = ''
  const server = createServer((socket) => {
    cleanUp(() => socket.destroy())
    socket.setEncoding('latin1').write('220 test\r\n')
    socket.on('data', (text: string) => {
      received += text
      if (/^DATA\r\n$/m.test(text)) socket.write('354 go on\r\n')
      else if (/^(EHLO|MAIL|RCPT|QUIT)/.test(text) || text.endsWith('\r\n.\r\n')) socket.write('250 fine\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(() => server.close())
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, commands: () => received }
}

const failure = (outcome: string, code: string) => expect.objectContaining({ name: 'SendError', outcome, code })

describe('at a server without SMTPUTF8', () => {
  const without = { smtpUtf8: false }

  test.for(['zoë@example.com', '你好@example.com', 'zoë@müller.example', 'a\u0301@example.com'])(
    '%s fails for good, and no byte of it is sent',
    async (address, { cleanUp }) => {
      const { sink, send } = await setUp(cleanUp, without)
      await expect(send(address)).rejects.toEqual(failure('permanent', 'NO_SMTPUTF8'))
      await expect(send(address)).rejects.toThrow(/no SMTPUTF8/)
      expect(sink.received).toEqual([])
      expect(await send('ada@example.com')).toMatchObject({ accepted: ['ada@example.com'] })
    },
  )

  test('a domain goes in ASCII, in the envelope and in the header', async ({ cleanUp }) => {
    const { url, commands } = await listen(cleanUp)
    const provider = createSmtpProvider(parseSmtpUrl(url))
    cleanUp(() => provider.close())
    const from = { name: 'Mono', address: 'mono@bücher.example' }
    const to = { address: 'ada@müller.example' }
    const mail = { from, to, subject: 's', text: 't', messageId: '<1@example.com>' }
    await provider.send(mail, { from: from.address, to: [to.address] }, signal)
    expect(commands()).toContain('MAIL FROM:<mono@xn--bcher-kva.example>\r\n')
    expect(commands()).toContain('RCPT TO:<ada@xn--mller-kva.example>\r\n')
    expect(commands()).toContain('\r\nFrom: Mono <mono@xn--bcher-kva.example>\r\n')
    expect(commands()).toContain('\r\nTo: ada@xn--mller-kva.example\r\n')
  })

  test('a sender whom it does not take is a fault of the set-up, not of the mail', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, without)
    const from = { address: 'zoë@example.com' }
    await expect(send('ada@example.com', { from })).rejects.toEqual(failure('provider', 'NO_SMTPUTF8'))
    expect(sink.received).toEqual([])
  })

  test('nobody is asked again for a while', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, without)
    await expect(send('zoë@example.com')).rejects.toEqual(failure('permanent', 'NO_SMTPUTF8'))
    await sink.stop()
    await expect(send('zoë@example.com')).rejects.toEqual(failure('permanent', 'NO_SMTPUTF8'))
  })
})

describe('at a server with SMTPUTF8', () => {
  test.for(['zoë@example.com', 'zoë@müller.example'])('%s is sent as it is', async (address, { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { smtpUtf8: true })
    expect(await send(address)).toMatchObject({ accepted: [address] })
    expect(sink.received).toMatchObject([{ to: [address] }])
  })

  test('a server that is away while it is to be asked is the provider’s problem', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { smtpUtf8: true })
    await sink.stop()
    await expect(send('zoë@example.com')).rejects.toEqual(failure('provider', 'ESOCKET_ECONNREFUSED'))
    await sink.start()
    expect(await send('zoë@example.com')).toMatchObject({ accepted: ['zoë@example.com'] })
  })

  test('so is one that does not greet', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { smtpUtf8: true })
    sink.answer('all', ['hang-at-greeting'])
    await expect(send('zoë@example.com')).rejects.toEqual(failure('provider', 'ETIMEDOUT'))
  })

  test('what it says of itself with a mail is remembered', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp, { smtpUtf8: true })
    await send('ada@example.com')
    // If it were asked, this would be the answer.
    sink.answer('all', ['greeting 421'])
    expect(await send('zoë@example.com')).toMatchObject({ accepted: ['zoë@example.com'] })
  })
})
