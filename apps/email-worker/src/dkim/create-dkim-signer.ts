import type { Readable } from 'node:stream'
import DKIM from 'nodemailer/lib/dkim'
import type { DkimSettings } from './dkim-env.js'

/**
 * Those that a mail has are signed; of one that comes twice, the last. RFC 8058 wants the two of List-Unsubscribe, and
 * nodemailer's own list lacks the second.
 */
const signedHeaders = [
  'From',
  'To',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
]

/**
 * Puts a DKIM-Signature (RFC 6376, rsa-sha256, relaxed/relaxed) before a mail.
 *
 * It reads the mail to its end, and keeps it in memory, before it gives out the first byte: what follows how far a mail
 * has been sent must come after it.
 */
export function createDkimSigner({ domain, selector, key }: DkimSettings): (mail: Readable) => Readable {
  const dkim = new DKIM({
    domainName: domain,
    keySelector: selector,
    privateKey: key,
    headerFieldNames: signedHeaders.join(':'),
  })
  return (mail) => dkim.sign(mail)
}
