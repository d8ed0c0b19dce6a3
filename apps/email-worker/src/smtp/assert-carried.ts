import { type Envelope, type Mail, SendError } from '../email-provider.js'
import { isAsciiBeforeAt } from '../is-ascii-before-at.js'
import type { SmtpUtf8 } from './smtp-utf8.js'

/**
 * A domain has an ASCII form, which nodemailer sends; the part before the `@` has none.
 *
 * @throws SendError if the server does not take an address of the envelope: about the mail if it is a recipient's,
 *   about the provider if it is the sender's
 */
export async function assertCarried({ to }: Mail, envelope: Envelope, smtpUtf8: SmtpUtf8): Promise<void> {
  const isSenderAscii = isAsciiBeforeAt(envelope.from)
  if (isSenderAscii && [to.address, ...envelope.to].every(isAsciiBeforeAt)) return
  if (await smtpUtf8.isOffered()) return
  const whose = isSenderAscii ? 'the recipient' : 'the sender'
  throw new SendError(`The mail server takes no letters but ASCII before the @ of ${whose} (it has no SMTPUTF8)`, {
    outcome: isSenderAscii ? 'permanent' : 'provider',
    code: 'NO_SMTPUTF8',
  })
}
