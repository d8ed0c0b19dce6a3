import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { receivedEmailMessage, receivedEmailNotification } from '../test/received-email.js'
import { loadTemplates } from './templates/template-store.js'
import { toMailContent } from './to-mail-content.js'

const templates = loadTemplates(fileURLToPath(new URL('../templates', import.meta.url)))

test('a mail as given is taken as it is', () => {
  const html = '<p>{{ userName }}</p>'
  expect(toMailContent(receivedEmailMessage({ subject: 'Hello', text: undefined, html }), templates)).toEqual({
    subject: 'Hello',
    html,
  })
})

test('a template is rendered with the data and the subject', () => {
  const message = receivedEmailNotification({ subject: 'Hello', template: 'welcome', data: { userName: 'Ada' } })
  const { subject, text, html } = toMailContent(message, templates)
  expect(subject).toBe('Hello')
  expect(text).toContain('Welcome, Ada')
  expect(html).toContain('<h1')
})

test.each(['\r\n', '\n', '\r', '\u0085', '\u2028', '\0\v'])('%j in a subject is a blank', (lineBreak) => {
  const given = receivedEmailMessage({ subject: `Hello${lineBreak}Bcc: eve@example.com` })
  expect(toMailContent(given, templates).subject).toBe('Hello Bcc: eve@example.com')

  const data = { userName: `Ada${lineBreak}Bcc: eve@example.com` }
  const rendered = receivedEmailNotification({ subject: '', template: 'welcome', data })
  expect(toMailContent(rendered, templates).subject).toBe('Welcome to Mono, Ada Bcc: eve@example.com')
})
