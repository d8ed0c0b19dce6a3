import { findAddressFault } from '@mono/contracts'
import { type Envelope, type Mail, SendError } from './email-provider.js'
import { encodeSubject } from './encode-subject.js'

/** Field by field: an option that nodemailer knows and a mail should not have cannot slip through. */
export function toMessage({ from, to, replyTo, subject, text, html, messageId }: Mail) {
  return {
    from: { name: from.name ?? '', address: from.address },
    to: { name: '', address: to.address },
    ...(replyTo === undefined ? {} : { replyTo: { name: replyTo.name ?? '', address: replyTo.address } }),
    subject: encodeSubject(subject),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    messageId,
    // RFC 3834: so that nobody's absence notice answers, nor mail loops.
    headers: { 'Auto-Submitted': 'auto-generated' },
    // Else nodemailer looks through the whole text to choose, which takes a quarter of its time.
    textEncoding: 'quoted-printable' as const,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** @throws SendError INVALID_ADDRESS */
export function assertPlainAddresses({ from, to, replyTo = from }: Mail, envelope: Envelope): void {
  for (const address of [from.address, to.address, replyTo.address, envelope.from, ...envelope.to]) {
    const fault = findAddressFault(address)
    if (fault === undefined) continue
    throw new SendError(`An address cannot be used: ${fault}`, { outcome: 'permanent', code: 'INVALID_ADDRESS' })
  }
}
