import { expect } from 'vitest'
import { test } from '../test.js'
import { createMailPage } from './mail-page.js'
import type { ReceivedMail } from './parse-received-mail.js'

function createMail(mail: Partial<ReceivedMail>): ReceivedMail {
  return {
    ...{ from: '', to: ['ada@example.com'], subject: 'Hello', text: 'Good morning', html: undefined, headers: {} },
    ...{ messageId: undefined, raw: Buffer.alloc(0), at: 0, answered: true },
    ...mail,
  }
}

async function readPage(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'")
  return await response.text()
}

test('shows the mails of all takers, the newest first, with who took each', async ({ cleanUp }) => {
  const page = await createMailPage([
    {
      name: 'the mail catcher',
      received: [createMail({ subject: 'One', at: 1 }), createMail({ subject: 'Three', at: 3 })],
    },
    { name: 'Mailgun', received: [createMail({ subject: 'Two', at: 2 })] },
  ])
  cleanUp(() => page.close())
  const html = await readPage(page.url)
  expect(html.match(/<h1>.*?<\/h1>|<h2>.*?<\/h2>|by [\w ]+/g)).toEqual([
    '<h1>Mails: 3</h1>',
    ...['<h2>Three</h2>', 'by the mail catcher', '<h2>Two</h2>', 'by Mailgun', '<h2>One</h2>', 'by the mail catcher'],
  ])
})

test.for<[string, Partial<ReceivedMail>]>([
  ['subject', { subject: '<script>alert("1")</script>' }],
  ['text', { text: '</pre><script>alert("1")</script>' }],
  ['HTML, if it has no text', { text: undefined, html: '<script>alert("1")</script>' }],
  ['recipient', { to: ['"<script>alert("1")</script>"@example.com'] }],
])('shows markup as text: %s', async ([_part, mail], { cleanUp }) => {
  const page = await createMailPage([{ name: 'Mailgun', received: [createMail(mail)] }])
  cleanUp(() => page.close())
  const html = await readPage(page.url)
  expect(html).not.toContain('<script>')
  expect(html).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;')
})

test('shows the newest hundred mails, and says how many there are', async ({ cleanUp }) => {
  const received = Array.from({ length: 102 }, (_, index) => createMail({ subject: `number ${index}` }))
  const page = await createMailPage([{ name: 'Mailgun', received }])
  cleanUp(() => page.close())
  const html = await readPage(page.url)
  expect(html).toContain('<h1>Mails: the newest 100</h1>')
  expect(html.match(/<h2>/g)).toHaveLength(100)
  // All of the same time.
  expect(html.indexOf('<h2>number 101</h2>')).toBeLessThan(html.indexOf('<h2>number 2</h2>'))
  expect(html).not.toContain('<h2>number 1</h2>')
})
