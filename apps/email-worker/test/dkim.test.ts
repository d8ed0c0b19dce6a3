import { setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { test } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { createDkimSigner } from '../src/dkim/create-dkim-signer.js'
import type { Mail } from '../src/email-provider.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'
import { createDkimKey } from './dkim-key.js'
import { verifyDkim } from './verify-dkim.js'

const { record, ...dkim } = createDkimKey()

const { signal } = new AbortController()
setMaxListeners(0, signal)

type CleanUp = (release: () => Promise<unknown> | unknown) => void

async function setUp(cleanUp: CleanUp) {
  const sink = await createSmtpSink()
  cleanUp(() => sink.close())
  const limits = { greetingTimeoutMs: 5_000, commandTimeoutMs: 20_000, finalDotTimeoutMs: 2_000 }
  const provider = createSmtpProvider({ ...parseSmtpUrl(sink.url), ...limits }, { dkim })
  cleanUp(() => provider.close())
  const send = (fields: Partial<Mail> = {}) => {
    const mail: Mail = {
      from: { name: 'Mono', address: 'mono@example.com' },
      to: { address: 'ada@example.com' },
      replyTo: { name: 'Help', address: 'help@example.com' },
      subject: 'Hello',
      text: 'Good morning',
      html: '<p>Good morning</p>',
      messageId: '<1@example.com>',
      ...fields,
    }
    return provider.send(mail, { from: mail.from.address, to: [mail.to.address] }, signal)
  }
  const receive = async (fields: Partial<Mail> = {}) => {
    await send(fields)
    const raw = sink.received[0]?.raw.toString()
    return raw ?? expect.unreachable('no mail was received')
  }
  return { sink, send, receive }
}

const failure = (outcome: string, code: string) => expect.objectContaining({ name: 'SendError', outcome, code })
const alwaysSigned = ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']

describe('the signature', () => {
  test('is of the sender’s domain, over the headers that are looked at and the body', async ({ cleanUp }) => {
    const { receive } = await setUp(cleanUp)
    const { signedHeaders, ...verdict } = await verifyDkim(await receive(), record)
    expect(verdict).toMatchObject({
      result: 'pass',
      aligned: 'example.com',
      tags: { v: '1', a: 'rsa-sha256', c: 'relaxed/relaxed', d: 'example.com', s: 'mono-2027' },
    })
    expect(signedHeaders.toSorted()).toEqual([...alwaysSigned, 'reply-to'].toSorted())
  })

  test.for<[what: string, fields: Partial<Mail>]>([
    ['of one part', without('html')],
    ['without an address for answers', without('replyTo')],
    ['in another language', { text: 'Grüße, 你好 😀', subject: 'Grüße, 你好 😀', from: named('Jürgen "J" Müller') }],
    ['with long lines, dots and blanks at their ends', { text: `.\n..\n \t\nFrom here  \n${'w'.repeat(5_000)}\n\n\n` }],
    ['with a subject of 1,500 characters', { subject: `See ${'w'.repeat(1_500)} for more` }],
    ['with two blanks in its subject', { subject: 'Two  blanks, and one at the end ' }],
    ['with a domain in the letters of its language', { to: { address: 'ada@müller.example' } }],
    ['with an address in the letters of its language', { to: { address: 'zoë@example.com' } }],
    ['of 1 MB', { text: 'a line of text\n'.repeat(70_000) }],
  ])('of a mail %s is valid', async ([, fields], { cleanUp }) => {
    const { receive } = await setUp(cleanUp)
    expect(await verifyDkim(await receive(fields), record)).toMatchObject({ result: 'pass', aligned: 'example.com' })
  })

  test('names the headers that a mail has: Reply-To is not among them if it has none', async ({ cleanUp }) => {
    const { receive } = await setUp(cleanUp)
    const { signedHeaders } = await verifyDkim(await receive(without('replyTo', 'html')), record)
    expect(signedHeaders.toSorted()).toEqual([...alwaysSigned, 'content-transfer-encoding'].toSorted())
  })

  test('outlives what servers do on the way: other folding, more headers, blanks at the ends of lines', async ({
    cleanUp,
  }) => {
    const { receive } = await setUp(cleanUp)
    const raw = await receive({ subject: 'One two three four five six', from: named('Mono of the Example Company') })
    const [header = '', body = ''] = split(raw)
    const folded = header
      .replace('Subject: One two three', 'SUBJECT:  One\r\n two\r\n\tthree')
      .replace('Company <', 'Company\r\n  <')
    expect(folded).toContain('SUBJECT:  One\r\n two\r\n\tthree')
    expect(folded).toContain('Company\r\n  <')
    expect(body).toContain('morning\r\n')
    const passedOn = `Received: from a by b\r\n${folded}\r\n\r\n${body.replaceAll('morning\r\n', 'morning \t\r\n')}\r\n\r\n`
    expect((await verifyDkim(passedOn, record)).result).toBe('pass')
  })

  test.for<[what: string, from: string, to: string, result: string]>([
    ['the text', 'Good morning', 'Good evening', 'neutral'],
    ['the sender', 'From: Mono <mono@', 'From: Mono <eve@', 'fail'],
    ['the recipient', 'To: ada@', 'To: eve@', 'fail'],
    ['where answers go', 'help@example.com', 'eve@example.com', 'fail'],
    ['the subject', 'Subject: Hello', 'Subject: Goodbye', 'fail'],
    ['the Message-ID', '<1@example.com>', '<2@example.com>', 'fail'],
    ['the kind of content', 'multipart/alternative', 'multipart/mixed', 'fail'],
  ])('is broken by a change of %s', async ([, from, to, result], { cleanUp }) => {
    const { receive } = await setUp(cleanUp)
    const raw = await receive()
    expect(raw).toContain(from)
    expect((await verifyDkim(raw.replace(from, to), record)).result).toBe(result)
  })

  test('is not valid for the key of another', async ({ cleanUp }) => {
    const { receive } = await setUp(cleanUp)
    expect((await verifyDkim(await receive(), createDkimKey().record)).result).toBe('fail')
  })

  test('covers the two headers by which one unsubscribes, as RFC 8058 wants it', async () => {
    const unsubscribe = [
      'List-Unsubscribe: <https://example.com/u/1>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    ]
    const mail = ['From: mono@example.com', 'To: ada@example.com', ...unsubscribe, '', 'Good morning', ''].join('\r\n')
    const signed = await readText(createDkimSigner(dkim)(Readable.from([Buffer.from(mail)])))
    expect(signed.endsWith(mail)).toBe(true)
    expect(await verifyDkim(signed, record)).toMatchObject({
      result: 'pass',
      signedHeaders: ['from', 'to', 'list-unsubscribe', 'list-unsubscribe-post'],
    })
    expect((await verifyDkim(signed.replace('One-Click', 'Two-Clicks'), record)).result).toBe('fail')
  })
})

describe('a signed mail', () => {
  test.for([
    ['drop-before-data', 'Good morning'],
    ['drop-in-data', 'a line of text\n'.repeat(500_000)],
  ] as const)('whose end was not sent goes over another connection: %s', async ([answer, text], { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('all', [answer])
    expect(await send({ text })).toMatchObject({ accepted: ['ada@example.com'] })
    expect(sink.received).toHaveLength(1)
    expect((await verifyDkim(sink.received[0]?.raw ?? '', record)).result).toBe('pass')
  })

  test.for([
    ['rcpt 550', undefined],
    ['data 554', failure('permanent', 'SMTP_554')],
    ['drop-after-data', failure('unknown', 'ECONNECTION')],
    ['hang-after-data', failure('unknown', 'ETIMEDOUT')],
  ] as const)('ends as another does: %s', async ([answer, error], { cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    sink.answer('all', [answer])
    if (error) await expect(send()).rejects.toEqual(error)
    else expect(await send()).toMatchObject({ accepted: [], rejected: [{ code: 'SMTP_550' }] })
    expect(await send()).toMatchObject({ accepted: ['ada@example.com'] })
  })

  test('whose body names a file is not sent', async ({ cleanUp }) => {
    const { sink, send } = await setUp(cleanUp)
    const html = { path: '/etc/hostname' } as unknown as string
    await expect(send({ html })).rejects.toEqual(failure('permanent', 'ESTREAM_EFILEACCESS'))
    expect(sink.received).toEqual([])
  })
})

function named(name: string): Mail['from'] {
  return { name, address: 'mono@example.com' }
}

/** Takes fields away that the mail would have. */
function without(...names: ('html' | 'replyTo')[]): Partial<Mail> {
  return Object.fromEntries(names.map((name) => [name, undefined]))
}

/** Into header and body. */
function split(raw: string): [string, string] {
  const end = raw.indexOf('\r\n\r\n')
  return [raw.slice(0, end), raw.slice(end + 4)]
}
