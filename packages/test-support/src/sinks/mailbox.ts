import type { ReceivedMail } from './parse-received-mail.js'

/** Mails in the order they came, and by recipient. */
export interface Mailbox<Mail extends ReceivedMail = ReceivedMail> {
  received: readonly Mail[]
  add(mail: Mail): void
  receivedBy(address: string): readonly Mail[]
  counts(): Map<string, number>
}

export function createMailbox<Mail extends ReceivedMail = ReceivedMail>(): Mailbox<Mail> {
  const received: Mail[] = []
  const byAddress = new Map<string, Mail[]>()
  return {
    received,
    add(mail) {
      received.push(mail)
      for (const address of new Set(mail.to.map((one) => one.toLowerCase()))) {
        const mails = byAddress.get(address)
        if (mails) mails.push(mail)
        else byAddress.set(address, [mail])
      }
    },
    receivedBy: (address) => byAddress.get(address.toLowerCase()) ?? [],
    counts: () => new Map([...byAddress].map(([address, mails]) => [address, mails.length])),
  }
}
