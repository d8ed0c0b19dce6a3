import type { Logger } from '@mono/message-queue'
import { toDkimSettings } from './dkim/dkim-env.js'
import type { PacedProvider } from './email-provider.js'
import type { EmailEnv } from './env.js'
import type { NamedProvider } from './failover/named-provider.js'
import { providersOf } from './failover/providers-env.js'
import { type MailgunSettings, toMailgunSettings } from './mailgun/mailgun-env.js'
import { createMailgunProvider } from './mailgun/mailgun-provider.js'
import { describeTls } from './smtp/describe-tls.js'
import type { SmtpSettings } from './smtp/parse-smtp-url.js'
import { createSmtpProvider } from './smtp/smtp-provider.js'

/** Makes those by whom mails go, in the order of trying. Says in the log what there is to know of each. */
export function createProviders(env: EmailEnv, logger: Logger): NamedProvider[] {
  const { smtp } = env
  const mailgun = toMailgunSettings(env)
  return providersOf(env).flatMap((name): NamedProvider[] => {
    if (name === 'smtp') return smtp ? [{ name, provider: createSmtp(smtp, env, logger) }] : []
    return mailgun ? [{ name, provider: createMailgun(mailgun, logger) }] : []
  })
}

function createSmtp(smtp: SmtpSettings, env: EmailEnv, logger: Logger): PacedProvider {
  logger.info({ tls: smtp.tls, login: smtp.auth !== undefined }, describeTls(smtp))
  const dkim = toDkimSettings(env)
  if (dkim) logger.info({ domain: dkim.domain, selector: dkim.selector }, 'Mails are signed with DKIM')
  return createSmtpProvider(smtp, { dkim })
}

function createMailgun(mailgun: MailgunSettings, logger: Logger): PacedProvider {
  logger.info({ domain: mailgun.domain, origin: mailgun.origin }, 'Mails may go by Mailgun')
  return createMailgunProvider(mailgun)
}
