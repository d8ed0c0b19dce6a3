import type { ReceivedMessage } from '@mono/message-queue'
import type { TemplateStore } from './templates/template-store.js'

/** What a mail says, the same for every recipient. */
export interface MailContent {
  /** One line. */
  subject: string
  text?: string
  html?: string
}

/**
 * Renders the template of an `email.notification`; an `email.message` is taken as it is.
 *
 * @throws PermanentError UNKNOWN_TEMPLATE or INVALID_TEMPLATE_DATA
 */
export function toMailContent(message: ReceivedMessage<'email.notifications'>, templates: TemplateStore): MailContent {
  if (message.type === 'email.notification') {
    const { template, subject, data } = message.payload
    const rendered = templates.render(template, { subject, data })
    return { ...rendered, subject: toOneLine(rendered.subject) }
  }
  const { subject, text, html } = message.payload
  return {
    subject: toOneLine(subject),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  }
}

/** A line break in a subject would begin another header. */
function toOneLine(text: string): string {
  return text.replace(/[\p{Control}\u2028\u2029]+/gu, ' ').trim()
}
