import type { DeliveredMail } from '@mono/test-support/mail-servers'
import { expect } from 'vitest'
import { createMessageId } from '../../src/create-message-id.js'
import type { Mail } from '../../src/email-provider.js'
import { expectEachOnce, type ProviderCase, type ProviderContext } from './provider-case.js'

/** A mail as it lies in the mailbox, which is checked for what holds for all. */
async function sendAndRead({ send, server }: ProviderContext, fields: Partial<Mail>): Promise<DeliveredMail> {
  const receipt = await send(fields)
  const mails = await server.readMails()
  expectEachOnce(mails, [receipt])
  const [mail] = mails
  if (!mail) return expect.unreachable('no mail was delivered')
  const longest = Math.max(
    ...mail.raw
      .toString('latin1')
      .split('\n')
      .map((line) => line.length),
  )
  expect(longest).toBeLessThanOrEqual(998)
  expect(mail.from).toBe('mono@example.com')
  expect(mail.headers['auto-submitted']).toBe('auto-generated')
  expect(Math.abs(Date.parse(mail.headers.date ?? '') - Date.now())).toBeLessThan(60_000)
  return mail
}

const trimEnds = ({ text = '', html = '' }: { text?: string | undefined; html?: string | undefined }) => ({
  text: text.trimEnd(),
  html: html.trimEnd(),
})

/** What arrives. */
export const contentCases: readonly ProviderCase[] = [
  {
    title: 'a mail is delivered as it was sent',
    async run(context) {
      const messageId = createMessageId({
        tenantId: 42,
        messageId: 'm',
        recipient: 'ada',
        domain: 'example.com',
        reuses: 0,
      })
      const text = `Grüße, 你好\n.\n..\nFrom here\n${'long '.repeat(1_000)}\n${'w'.repeat(3_000)}\nend`
      const html = `<p>Grüße, 你好</p>\n<p>${'w'.repeat(3_000)}</p>`
      const mail = await sendAndRead(context, {
        from: { name: 'Jürgen "J" Müller, Mono', address: 'mono@example.com' },
        replyTo: { name: 'Hilfe', address: 'help@example.com' },
        subject: 'Grüße ✓',
        text,
        html,
        messageId,
      })
      expect(trimEnds(mail)).toEqual({ text, html })
      expect(mail.subject).toBe('Grüße ✓')
      expect(mail.headers.from).toMatch(/^=\?UTF-8\?.*\?= <mono@example\.com>$/)
      expect(mail.headers).toMatchObject({
        to: 'ada@example.com',
        'reply-to': 'Hilfe <help@example.com>',
        'message-id': messageId,
      })
    },
  },
  {
    title: 'a subject of 1,500 characters without a blank',
    async run(context) {
      const subject = 'w'.repeat(1_500)
      expect((await sendAndRead(context, { subject })).subject).toBe(subject)
    },
  },
  {
    title: 'an address with letters beyond ASCII, at a server with SMTPUTF8',
    async run(context) {
      const mail = await sendAndRead(context, { to: { address: 'zoë@example.com' } })
      expect(mail.raw.toString()).toContain('\nTo: zoë@example.com\n')
    },
  },
]
