import { createHash } from 'node:crypto'

export interface MailIdentity {
  tenantId: number
  /** Of the message that asks for the mail. */
  messageId: string
  /** The address in lower case. */
  recipient: string
  /** Of the sender, in ASCII. */
  domain: string
}

/**
 * The Message-ID of one mail to one recipient, with its angle brackets. It is the same at every try, so that whoever
 * gets a mail twice can tell, and it tells nobody whom or what it is about.
 */
export function createMessageId({ tenantId, messageId, recipient, domain }: MailIdentity): string {
  const identity = JSON.stringify([tenantId, messageId, recipient])
  return `<${createHash('sha256').update(identity).digest('hex')}@${domain}>`
}
