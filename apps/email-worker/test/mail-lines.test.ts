import { test } from '@mono/test-support'
import { createSmtpSink, type ReceivedMail } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import type { Mail } from '../src/email-provider.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

const { signal } = new AbortController()

/** The mail as the server gets it. */
async function sendAndReceive(cleanUp: CleanUp, fields: Partial<Mail>): Promise<ReceivedMail> {
  const sink = await createSmtpSink()
  cleanUp(() => sink.close())
  const provider = createSmtpProvider(parseSmtpUrl(sink.url))
  cleanUp(() => provider.close())
  const mail: Mail = {
    from: { name: 'Mono', address: 'mono@example.com' },
    to: { address: 'ada@example.com' },
    subject: 'Hello',
    text: 'Good morning',
    messageId: '<1@example.com>',
    ...fields,
  }
  await provider.send(mail, { from: mail.from.address, to: [mail.to.address] }, signal)
  const [received] = sink.received
  if (!received) return expect.unreachable('no mail was received')
  return received
}

/** RFC 5322, section 2.1.1, and RFC 5321, section 2.3.8: CR and LF only together; no NUL. */
function expectLines({ raw }: ReceivedMail): void {
  const lines = raw.toString('latin1').split('\r\n')
  expect(lines.filter((line) => line.length > 998)).toEqual([])
  expect(lines.filter((line) => /[\r\n\0]/.test(line))).toEqual([])
  // A line of white space only would be taken for the end of the header by some.
  const header = lines.slice(0, lines.indexOf(''))
  expect(header.filter((line) => line.trim() === '')).toEqual([])
}

describe('a subject arrives as it was given, in lines that every server takes', () => {
  test.for<[what: string, subject: string]>([
    ['one word of 77 characters', 'w'.repeat(77)],
    ['one word of 1,500 characters', 'w'.repeat(1_500)],
    ['a long word among short ones', `See ${'w'.repeat(1_500)} for more`],
    ['a URL of 2,000 characters', `https://example.com/?q=${'a=1&'.repeat(500)}`],
    ['1,500 blanks between two words', `a${' '.repeat(1_500)}b`],
    ['two blanks at each place', 'word  '.repeat(40).trim()],
    ['many short words', 'word '.repeat(2_000).trim()],
    ['a long word of quotes', '"'.repeat(1_500)],
    ['a long word of another alphabet', '你'.repeat(1_500)],
    ['a long word of characters beyond 16 bits', '😀'.repeat(500)],
    ['combined characters', 'e\u0301'.repeat(500)],
    ['a long word of question and equals signs', '=?_'.repeat(500)],
    ['what looks like an encoded word', '=?utf-8?B?SGVsbG8NCkJjYzogZXZlQGV4YW1wbGUuY29t?='],
    ['what looks like half of one', `=?utf-8?Q?${'a'.repeat(1_000)}`],
    ['100 KB', 'w'.repeat(100_000)],
    ['nothing', ''],
  ])('%s', async ([, subject], { cleanUp }) => {
    const mail = await sendAndReceive(cleanUp, { subject })
    expectLines(mail)
    expect(mail.subject ?? '').toBe(subject)
  })

  test('a short one in plain letters is left readable', async ({ cleanUp }) => {
    const { raw } = await sendAndReceive(cleanUp, { subject: 'Welcome to Mono, Ada (2 new)' })
    expect(raw.toString()).toContain('\r\nSubject: Welcome to Mono, Ada (2 new)\r\n')
  })

  test.for(['\r\n', '\n', '\r', '\0', '\x0b', '\x7f', '\u2028'])(
    '%j in it breaks no line',
    async (mark, { cleanUp }) => {
      const mail = await sendAndReceive(cleanUp, { subject: `${'w'.repeat(1_000)}${mark}Bcc: eve@example.com` })
      expectLines(mail)
      expect(mail.headers).not.toHaveProperty('bcc')
      expect(mail.subject).not.toMatch(/[\r\n]/)
    },
  )
})

describe('a body', () => {
  test.for<[what: string, body: string]>([
    ['a line of 1,000 octets', 'w'.repeat(1_000)],
    ['a line of 500,000 octets', 'w'.repeat(500_000)],
    ['a long line of another alphabet', '你'.repeat(1_000)],
    ['1,500 characters in lines that end with CR alone', `${'w'.repeat(50)}\r`.repeat(30)],
    ['lines that end with LF alone', `${'w'.repeat(50)}\n`.repeat(30)],
    ['a NUL', `a\0${'w'.repeat(50)}`],
    ['line separators of Unicode', `a\u2028b\u0085${'w'.repeat(50)}`],
    ['blanks at the ends of lines', `a ${' '.repeat(1_500)}\nb\t`],
    ['lines of a dot', '.\n..\n.\n'],
  ])('with %s arrives in lines that every server takes', async ([, body], { cleanUp }) => {
    const mail = await sendAndReceive(cleanUp, { text: body, html: `<p>${body}</p>` })
    expectLines(mail)
    const toLines = (text = '') => text.replaceAll(/\r\n?/g, '\n')
    expect(toLines(mail.text).trimEnd()).toBe(toLines(body).trimEnd())
    expect(toLines(mail.html).trimEnd()).toBe(`<p>${toLines(body)}</p>`)
  })
})
