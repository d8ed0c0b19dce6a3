import { z } from 'zod'
import { addresses, replyTo, tenantId, text } from './fields.js'

/** A ready-made mail. Has `text`, `html` or both. Routing key `email.send`; consumed by the email worker. */
export interface EmailMessage {
  /** 1 to 1,000 addresses, each a plain `name@domain` of at most 254 characters. Each gets a mail of its own. */
  to: string[]
  subject: string
  /** Body as plain text. */
  text?: string | undefined
  /** Body as HTML. */
  html?: string | undefined
  /** Integer from 1 to 2^53−1. */
  tenantId: number
  /** Where answers go; by default what the worker's environment says, else to the sender. One plain address. */
  replyTo?: string | undefined
}

export const emailMessageSchema = z
  .object({
    to: addresses,
    subject: text,
    text: text.optional(),
    html: text.optional(),
    tenantId,
    replyTo: replyTo.optional(),
  })
  .superRefine(
    (mail, context) => {
      if (mail.text !== undefined || mail.html !== undefined) return
      context.addIssue({ code: 'custom', path: ['text'], message: 'expected text, html or both, found neither' })
    },
    // A fault elsewhere must not hide this one.
    { when: () => true },
  ) satisfies z.ZodType<EmailMessage>

export const emailMessageExample: EmailMessage = {
  to: ['ada@example.com', 'grace@example.com'],
  subject: 'Minutes of the meeting',
  text: 'The minutes are attached to the project page.',
  html: '<p>The minutes are attached to the <a href="https://example.com">project page</a>.</p>',
  tenantId: 42,
  replyTo: 'support@example.com',
}
