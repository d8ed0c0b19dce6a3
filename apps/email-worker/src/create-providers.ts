import type { Logger } from '@mono/message-queue'
import { toDkimSettings } from './dkim/dkim-env.js'
import type { PacedProvider } from './email-provider.js'
import type { EmailEnv } from './env.js'
import { toMailgunSettings } from './mailgun/mailgun-env.js'
import { createMailgunProvider } from './mailgun/mailgun-provider.js'
import { describeTls } from './smtp/describe-tls.js'
import { createSmtpProvider } from './smtp/smtp-provider.js'

interface NamedProvider {
  name: 'smtp' | 'mailgun'
  provider: PacedProvider
}

/** Makes those that are configured: the mail server first. Says in the log what there is to know of each. */
export function createProviders(env: EmailEnv, logger: Logger): NamedProvider[] {
  const { smtp } = env
  const mailgun = toMailgunSettings(env)
  const providers: NamedProvider[] = []
  if (smtp) {
    logger.info({ tls: smtp.tls, login: smtp.auth !== undefined }, describeTls(smtp))
    const dkim = toDkimSettings(env)
    if (dkim) logger.info({ domain: dkim.domain, selector: dkim.selector }, 'Mails are signed with DKIM')
    providers.push({ name: 'smtp', provider: createSmtpProvider(smtp, { dkim }) })
  }
  if (mailgun) {
    logger.info({ domain: mailgun.domain, origin: mailgun.origin }, 'Mails may go by Mailgun')
    providers.push({ name: 'mailgun', provider: createMailgunProvider(mailgun) })
  }
  return providers
}
