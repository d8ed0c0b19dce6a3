import { createHash } from 'node:crypto'
import type { Mail, MailIds } from '../email-provider.js'
import { type EncodedForm, encodeForm } from './encode-form.js'

/**
 * The request that sends a mail to one recipient: they would see each other, and the answer would be about all of them.
 *
 * Links stay as they are. The ids come back with whatever Mailgun reports of the mail.
 *
 * @param message the mail as `composeMail` makes it
 */
export function toMailgunForm({ ids }: Pick<Mail, 'ids'>, recipient: string, message: Buffer): EncodedForm {
  const fields = { to: recipient, 'o:tracking': 'no', ...(ids && toVariables(ids)) }
  return encodeForm(fields, {
    name: 'message',
    fileName: 'message.mime',
    contentType: 'message/rfc822',
    content: message,
  })
}

/** The address is hashed: what Mailgun reports passes through other hands. */
function toVariables({ tenantId, messageId, recipient }: MailIds): Record<string, string> {
  return {
    'v:mono-tenant': String(tenantId),
    'v:mono-message': messageId,
    'v:mono-recipient': createHash('sha256').update(recipient).digest('hex'),
  }
}
