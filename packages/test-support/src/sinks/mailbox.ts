import type { ReceivedMail } from './parse-received-mail.js'

/** Mails in the order they came, and by recipient. */
export interface Mailbox<Mail extends ReceivedMail = ReceivedMail> {
  received: readonly Mail[]
  add(mail: Mail): void
  receivedBy(address: string): readonly Mail[]
  counts(): Map<string, number>
}

/** How much is kept. The newest mail is kept whatever its size. */
export interface MailboxLimits {
  mails: number
  /** Of the mails as they came. */
  bytes: number
}

/** @param limits Beyond these the oldest mails go. Default: none. */
export function createMailbox<Mail extends ReceivedMail = ReceivedMail>(
  limits: MailboxLimits = { mails: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
): Mailbox<Mail> {
  const received: Mail[] = []
  const byAddress = new Map<string, Mail[]>()
  let bytes = 0

  function removeOldest(): void {
    const oldest = received.shift()
    if (oldest === undefined) return
    bytes -= oldest.raw.length
    for (const address of addressesOf(oldest)) {
      const mails = byAddress.get(address)
      mails?.shift()
      if (mails?.length === 0) byAddress.delete(address)
    }
  }

  return {
    received,
    add(mail) {
      received.push(mail)
      bytes += mail.raw.length
      for (const address of addressesOf(mail)) {
        const mails = byAddress.get(address)
        if (mails) mails.push(mail)
        else byAddress.set(address, [mail])
      }
      while (received.length > 1 && (received.length > limits.mails || bytes > limits.bytes)) removeOldest()
    },
    receivedBy: (address) => byAddress.get(address.toLowerCase()) ?? [],
    counts: () => new Map([...byAddress].map(([address, mails]) => [address, mails.length])),
  }
}

const addressesOf = ({ to }: ReceivedMail) => new Set(to.map((address) => address.toLowerCase()))
