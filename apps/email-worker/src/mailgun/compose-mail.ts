import MailComposer from 'nodemailer/lib/mail-composer'
import { type Mail, SendError } from '../email-provider.js'
import { toMessage } from '../to-message.js'

/**
 * A mail as it is handed over by SMTP, in memory.
 *
 * @throws SendError if it can never be sent
 */
export async function composeMail(mail: Mail): Promise<Buffer> {
  // Over SMTP it is the connection that sees to it that every line ends as a mail's lines do.
  const composer = new MailComposer({ ...toMessage(mail), newline: 'windows' })
  try {
    return await composer.compile().build()
  } catch (cause) {
    const { code = 'ESTREAM', message } = cause as NodeJS.ErrnoException
    throw new SendError(`The mail cannot be put together (${message})`, { outcome: 'permanent', code, cause })
  }
}
