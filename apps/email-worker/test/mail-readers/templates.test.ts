import { fileURLToPath } from 'node:url'
import { printNumbers, test } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { parseSmtpUrl } from '../../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../../src/smtp/smtp-provider.js'
import { loadTemplates } from '../../src/templates/template-store.js'
import { drawMail } from './draw-mail.js'
import { findMailReaders, type MailReaders } from './find-mail-readers.js'

const templates = loadTemplates(fileURLToPath(new URL('../../templates', import.meta.url)))
const url = `https://example.com/${'a-long-path-'.repeat(30)}?token=${'x'.repeat(200)}`

interface Content {
  template: string
  subject: string
  data: Record<string, unknown>
  /** Lines that have to stand by themselves. */
  lines: string[]
}

const contents: Record<string, Content> = {
  welcome: {
    template: 'welcome',
    subject: '',
    data: { userName: 'Ada' },
    lines: ['Welcome, Ada', 'Your account is ready.'],
  },
  'welcome of a long name': { template: 'welcome', subject: '', data: { userName: 'w'.repeat(200) }, lines: [] },
  notification: {
    template: 'notification',
    subject: 'Grace commented',
    data: { body: 'Looks good.\nOne question on page two.', link: 'https://example.com/designs/7' },
    lines: ['Grace commented', 'Looks good.', 'One question on page two.', 'Open in Mono'],
  },
  'notification with long URLs': {
    template: 'notification',
    subject: url,
    data: { body: `See ${url}\nand then this`, link: url },
    lines: ['and then this'],
  },
  'notification without anything': { template: 'notification', subject: '', data: {}, lines: ['New notification'] },
}

const found = await findMailReaders()

if ('obstacle' in found) {
  test.skip(`mails are drawn by Chromium and judged by SpamAssassin (not here: ${found.obstacle})`, () => undefined)
} else {
  let readers: MailReaders
  beforeAll(async () => {
    readers = await found.start()
  }, 120_000)
  afterAll(() => readers?.close())

  test('every built-in template is tried', () => {
    expect([...new Set(Object.values(contents).map(({ template }) => template))].sort()).toEqual(templates.names)
  })

  describe.each(Object.entries(contents))('%s', (name, { template, subject, data, lines }) => {
    const rendered = templates.render(template, { subject, data })

    test('is shown whole and line by line, however wide the reader is', { timeout: 120_000 }, async () => {
      const looks = await drawMail(readers, name.replaceAll(' ', '-'), rendered.html)
      expect(looks).toHaveLength(4)
      for (const look of looks) {
        expect(look.contentWidth, JSON.stringify(look)).toBeLessThanOrEqual(look.width)
        expect(look.overflowing, JSON.stringify(look)).toEqual([])
        expect(look.lines).toEqual(expect.arrayContaining(lines))
      }
    })

    test('is no spam', { timeout: 120_000 }, async ({ cleanUp }) => {
      const sink = await createSmtpSink()
      cleanUp(() => sink.close())
      const provider = createSmtpProvider(parseSmtpUrl(sink.url))
      cleanUp(() => provider.close())
      const mail = {
        from: { name: 'Mono', address: 'mono@example.com' },
        to: { address: 'ada@example.com' },
        messageId: '<0123456789abcdef@example.com>',
        ...rendered,
      }
      await provider.send(mail, { from: mail.from.address, to: [mail.to.address] }, new AbortController().signal)
      const judged = (await readers.run('spamassassin --local', sink.received[0]?.raw ?? '')).toString()
      const unfolded = judged.replaceAll(/\r?\n\s+/g, ' ')
      const [, score, tests] = /^X-Spam-Status: \w+, score=(\S+) .*?tests=(.*?) autolearn/m.exec(unfolded) ?? []
      printNumbers(`spam score of ${name}`, { score: Number(score), tests })
      expect(Number(score)).toBeLessThan(1)
    })
  })
}
