import { createHash } from 'node:crypto'

export interface MailIdentity {
  tenantId: number
  /** Of the message that asks for the mail. */
  messageId: string
  /** The recipient's key. */
  recipient: string
  /** Of the sender, in ASCII. */
  domain: string
  /** Equal messages without an id that were sent to this recipient before: each is a mail of its own. */
  reuses: number
}

/**
 * The Message-ID of one mail to one recipient, with its angle brackets. It is the same at every try, so that whoever
 * gets a mail twice can tell, and it tells nobody whom or what it is about.
 */
export function createMessageId({ tenantId, messageId, recipient, domain, reuses }: MailIdentity): string {
  const identity = JSON.stringify([tenantId, messageId, recipient, ...(reuses > 0 ? [reuses] : [])])
  return `<${createHash('sha256').update(identity).digest('hex')}@${domain}>`
}
