import { examples } from '@mono/contracts'
import { migrate, test, waitFor } from '@mono/test-support'
import type { MailServer } from '@mono/test-support/mail-servers'
import { expect } from 'vitest'

const notification = (template: string, data: object) => ({
  to: ['ada@example.com'],
  subject: '',
  template,
  data,
  tenantId: 42,
})

const messages = [
  ['email.send', 'given', { ...examples['email.message'], to: ['ada@example.com'], subject: 'As given' }],
  ['email.template', 'welcome', notification('welcome', { userName: 'Ada' })],
  [
    'email.template',
    'notification',
    notification('notification', { title: 'News', body: 'One\nTwo\n.\nFrom here', link: 'https://example.com/7' }),
  ],
] as const

/** From the queue into the mailbox, and into the ledger. */
export function testWholeWorker(getServer: () => MailServer): void {
  test('sends mails as given and from each template, and records their queue ids', async ({
    vhost,
    database,
    workers,
  }) => {
    const server = getServer()
    await server.configure({})
    await server.clearMails()
    await migrate('email-worker', database.url)
    const worker = workers.spawn('email-worker', {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      SMTP_URL: server.url,
      EMAIL_FROM: 'Mono <mono@example.com>',
      EMAIL_REPLY_TO: 'help@example.com',
    })
    await worker.ready()
    for (const [routingKey, messageId, body] of messages) {
      await vhost.publish('notifications', routingKey, body, { messageId })
    }
    const readSent = () =>
      database.query<{ message_id: string; provider_id: string }>(
        "SELECT message_id, provider_id FROM email.deliveries WHERE state = 'sent'",
      )
    await waitFor(async () => (await readSent()).length === messages.length, { what: 'all mails in the ledger' })
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })

    const mails = await server.readMails()
    const rows = await readSent()
    expect(rows.map(({ provider_id }) => provider_id).toSorted()).toEqual(
      mails.map(({ queueId }) => queueId).toSorted(),
    )
    const mailOf = (messageId: string) => {
      const { provider_id } = rows.find(({ message_id }) => message_id === messageId) ?? {}
      return mails.find(({ queueId }) => queueId === provider_id)
    }
    const given = mailOf('given')
    expect(given).toMatchObject({ subject: 'As given' })
    expect(given?.text?.trimEnd()).toBe(examples['email.message'].text)
    expect(given?.html?.trimEnd()).toBe(examples['email.message'].html)
    const welcome = mailOf('welcome')
    expect(welcome).toMatchObject({ subject: 'Welcome to Mono, Ada' })
    expect(welcome?.text?.trimEnd()).toBe('Welcome, Ada\n\nYour account is ready.\n\n-- \nSent by Mono')
    expect(welcome?.html).toContain('<h1 style="margin-top: 0; font-size: 22px">Welcome, Ada</h1>')
    const news = mailOf('notification')
    expect(news).toMatchObject({ subject: 'News' })
    expect(news?.text).toContain('News\n\nOne\nTwo\n.\nFrom here\n\nhttps://example.com/7')
    expect(news?.html).toContain('One<br>\nTwo<br>\n.<br>\nFrom here')
    expect(given?.headers['reply-to']).toBe(examples['email.message'].replyTo)
    for (const mail of [welcome, news]) expect(mail?.headers['reply-to']).toBe('help@example.com')
    for (const { headers, raw } of mails) {
      expect(headers).toMatchObject({
        from: 'Mono <mono@example.com>',
        to: 'ada@example.com',
        'auto-submitted': 'auto-generated',
        'message-id': expect.stringMatching(/^<[\w.-]+@example\.com>$/),
      })
      expect(Math.abs(Date.parse(headers.date ?? '') - Date.now())).toBeLessThan(60_000)
      const longest = Math.max(
        ...raw
          .toString('latin1')
          .split('\n')
          .map((line) => line.length),
      )
      expect(longest).toBeLessThanOrEqual(998)
    }
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(messages.length)
  })
}
