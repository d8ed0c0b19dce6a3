import MailComposer from 'nodemailer/lib/mail-composer'
import { type Mail, SendError } from '../email-provider.js'
import { toMessage } from '../to-message.js'

/**
 * A mail as it is handed over by SMTP, in memory.
 *
 * @throws SendError if it can never be sent
 */
export async function composeMail(mail: Mail): Promise<Buffer> {
  try {
    return endLines(await new MailComposer(toMessage(mail)).compile().build())
  } catch (cause) {
    const { code = 'ESTREAM', message } = cause as NodeJS.ErrnoException
    throw new SendError(`The mail cannot be put together (${message})`, { outcome: 'permanent', code, cause })
  }
}

/**
 * Ends every line as a mail's lines end; over SMTP it is the connection that sees to it. nodemailer’s option for it takes
 * a fifth of the time of composing.
 */
function endLines(mail: Buffer): Buffer {
  return Buffer.from(mail.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1')
}
