import { z } from 'zod'
import { describeFound } from './describe-found.js'
import { addresses, createField, recordOrNone, replyTo, tenantId, text } from './fields.js'
import type { JsonRecord } from './find-record-faults.js'
import { limits } from './limits.js'

/** A mail rendered from a template. Routing key `email.template`; consumed by the email worker. */
export interface EmailNotification {
  /** 1 to 1,000 addresses, each a plain `name@domain` of at most 254 characters. Each gets a mail of its own. */
  to: string[]
  subject: string
  /** Name of the template: 1 to 64 characters of `a-z`, `0-9` and `-`. */
  template: string
  /** The template shows it. JSON object, at most 32 deep. A caller without types may leave it out: `{}` is sent. */
  data: JsonRecord
  /** Integer from 1 to 2^53−1. */
  tenantId: number
  /** Where answers go; by default what the worker's environment says, else to the sender. One plain address. */
  replyTo?: string | undefined
}

// No dot and no slash: a template name becomes part of a file path.
const templateName = /^[a-z0-9-]+$/

function findTemplateFault(value: unknown): string | undefined {
  if (typeof value === 'string' && value.length <= limits.templateLength && templateName.test(value)) return undefined
  return `expected 1 to ${limits.templateLength} characters of a-z, 0-9 and -, found ${describeFound(value)}`
}

export const emailNotificationSchema = z.object({
  to: addresses,
  subject: text,
  template: createField<string>(findTemplateFault),
  data: recordOrNone,
  tenantId,
  replyTo: replyTo.optional(),
}) satisfies z.ZodType<EmailNotification>

export const emailNotificationExample: EmailNotification = {
  to: ['ada@example.com'],
  subject: 'Welcome to Mono',
  template: 'welcome',
  data: { userName: 'Ada' },
  tenantId: 42,
  replyTo: 'support@example.com',
}
