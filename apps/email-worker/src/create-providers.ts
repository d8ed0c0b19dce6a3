import type { Logger } from '@mono/message-queue'
import { toDkimSettings } from './dkim/dkim-env.js'
import type { PacedProvider } from './email-provider.js'
import type { EmailEnv } from './env.js'
import type { NamedProvider } from './failover/named-provider.js'
import { providersOf } from './failover/providers-env.js'
import { type MailgunSettings, toMailgunSettings } from './mailgun/mailgun-env.js'
import { createMailgunProvider } from './mailgun/mailgun-provider.js'
import { createOAuthTokens } from './oauth/create-oauth-tokens.js'
import { toOAuthSettings } from './oauth/oauth-env.js'
import { describeTls } from './smtp/describe-tls.js'
import type { SmtpSettings } from './smtp/parse-smtp-url.js'
import { createSmtpProvider } from './smtp/smtp-provider.js'

/** Makes those by whom mails go, in the order of trying. Says in the log what there is to know of each. */
export function createProviders(env: EmailEnv, logger: Logger): NamedProvider[] {
  const { smtp } = env
  const mailgun = toMailgunSettings(env)
  return providersOf(env).flatMap((name): NamedProvider[] => {
    if (name === 'smtp') return smtp ? [{ name, ...createSmtp(smtp, env, logger) }] : []
    return mailgun ? [{ name, provider: createMailgun(mailgun, logger) }] : []
  })
}

function createSmtp(smtp: SmtpSettings, env: EmailEnv, logger: Logger): Pick<NamedProvider, 'provider' | 'metrics'> {
  const oauthSettings = toOAuthSettings(env)
  const byToken = oauthSettings !== undefined
  logger.info({ tls: smtp.tls, login: smtp.auth !== undefined, byToken }, describeTls(smtp, { byToken }))
  const oauth = oauthSettings && createOAuthTokens(oauthSettings, { logger })
  const dkim = toDkimSettings(env)
  if (dkim) logger.info({ domain: dkim.domain, selector: dkim.selector }, 'Mails are signed with DKIM')
  return { provider: createSmtpProvider(smtp, { dkim, oauth }), metrics: oauth ? [oauth.metric] : [] }
}

function createMailgun(mailgun: MailgunSettings, logger: Logger): PacedProvider {
  logger.info({ domain: mailgun.domain, origin: mailgun.origin }, 'Mails may go by Mailgun')
  return createMailgunProvider(mailgun)
}
