import { fileURLToPath } from 'node:url'
import {
  type EnvFault,
  type EnvOf,
  type EnvSource,
  integer,
  type MigrationEnv,
  migrationEnv,
  oneOf,
  prefetch,
  readEnv,
  secret,
  url,
  variable,
  workerEnv,
} from '@mono/worker-runtime'
import { z } from 'zod'
import { dkimEnv, findDkimAlignmentFault, findDkimFault } from './dkim/dkim-env.js'
import { findMissingProviderFault, providersEnv, providersOf } from './failover/providers-env.js'
import { findMailgunAlignmentFault, findMailgunFault, mailgunConcurrency, mailgunEnv } from './mailgun/mailgun-env.js'
import { findOAuthFault, findOAuthUserFault, oauthEnv } from './oauth/oauth-env.js'
import { parseReplyTo, parseSender, type Sender } from './parse-sender.js'
import { defaultMaxConnections, parseSmtpUrl, type SmtpSettings } from './smtp/parse-smtp-url.js'

const senderForms = 'name@example.com or Name <name@example.com>'

const templatesEnv = {
  /** By default the templates that come with the worker. */
  templatesDirectory: variable(
    'EMAIL_TEMPLATES_DIR',
    z.string().default(() => fileURLToPath(new URL('../templates', import.meta.url))),
  ),
}

const shape = {
  ...providersEnv,
  /** Needed if mails do not go by Mailgun. */
  smtp: secret(
    'SMTP_URL',
    url({ schemes: ['smtp', 'smtps'] })
      .transform(toSmtpSettings)
      .optional(),
  ),
  ...oauthEnv,
  from: variable('EMAIL_FROM', z.string(senderForms).transform(toSender)),
  /** Where answers go, unless the message says it. */
  replyTo: variable('EMAIL_REPLY_TO', z.string(senderForms).transform(toReplyTo).optional()),
  ...dkimEnv,
  ...mailgunEnv,
  ...workerEnv({ httpPort: 9103 }),
  prefetch: prefetch(prefetchFor(defaultMaxConnections)),
  /** What becomes of a mail that the server may have taken: sent again with the same Message-ID, or left `unknown`. */
  onUnknown: variable('EMAIL_ON_UNKNOWN', oneOf(['resend', 'hold'], { default: 'resend' })),
  /** For how many days the ledger keeps what is finished. */
  ledgerRetentionDays: variable('LEDGER_RETENTION_DAYS', integer({ min: 1, max: 36_500, default: 30 })),
  ...templatesEnv,
}

export type EmailEnv = EnvOf<typeof shape>

/** Hosts of docker-compose.yml and docker-compose.mailgun.yml. Whatever they take would be recorded as sent. */
const mailCatcher = 'mail-catcher'
const mailgunOfDevelopment = 'mailgun'

const checks = [
  findMissingProviderFault,
  findMailCatcherFault,
  findOAuthFault,
  findOAuthUserFault,
  findDkimFault,
  findDkimAlignmentFault,
  findMailgunFault,
  findMailgunAlignmentFault,
  findMailgunOfDevelopmentFault,
]

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

export function readEmailEnv(source: EnvSource = processEnv): EmailEnv {
  const env = readEnv(shape, source, { checks })
  return source.PREFETCH?.trim() ? env : { ...env, prefetch: prefetchFor(concurrencyOf(env)) }
}

export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}

/** The directory of `EMAIL_TEMPLATES_DIR`, by default the one that comes with the worker. */
export function templatesDirectory(source: EnvSource = processEnv): string {
  return readEnv(templatesEnv, source).templatesDirectory
}

/** Mails that may be on their way at a time, by whichever provider allows more. */
export function concurrencyOf(env: Pick<EmailEnv, 'smtp' | 'mailgunApiKey' | 'providers'>): number {
  const numbers = { smtp: env.smtp?.maxConnections ?? 0, mailgun: mailgunConcurrency }
  return Math.max(...providersOf(env).map((name) => numbers[name]))
}

/**
 * By default the broker hands out ten messages for each mail on its way, so that a single mail is seldom behind mailings
 * that are not in hand yet: of those in hand, tenants take turns. What waits in line is not claimed.
 */
function prefetchFor(concurrency: number): number {
  return 10 * concurrency
}

function findMailCatcherFault(env: EmailEnv): EnvFault | undefined {
  if (env.nodeEnv !== 'production' || env.smtp?.host !== mailCatcher) return undefined
  if (!providersOf(env).includes('smtp')) return undefined
  const expected = 'a mail server that delivers, because NODE_ENV is production'
  return { name: 'SMTP_URL', expected, found: 'the mail catcher of development' }
}

function findMailgunOfDevelopmentFault(env: EmailEnv): EnvFault | undefined {
  if (env.nodeEnv !== 'production' || new URL(env.mailgunOrigin).hostname !== mailgunOfDevelopment) return undefined
  if (!providersOf(env).includes('mailgun')) return undefined
  const expected = 'Mailgun itself, which delivers, because NODE_ENV is production'
  return { name: 'MAILGUN_ORIGIN', expected, found: 'the Mailgun of development' }
}

function toSmtpSettings(text: string, context: z.RefinementCtx): SmtpSettings {
  try {
    return parseSmtpUrl(text)
  } catch (error) {
    const params = { found: 'a URL that is not shown' }
    context.addIssue({ code: 'custom', message: toExpectation(error), params })
    return z.NEVER
  }
}

function toSender(text: string, context: z.RefinementCtx): Sender {
  return readSender(parseSender, text, context)
}

function toReplyTo(text: string, context: z.RefinementCtx): Sender {
  return readSender(parseReplyTo, text, context)
}

function readSender(parse: (text: string) => Sender, text: string, context: z.RefinementCtx): Sender {
  try {
    return parse(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${senderForms}: ${withoutFound(toExpectation(error))}` })
    return z.NEVER
  }
}

/** The list of faults quotes what was found. */
function withoutFound(expectation: string): string {
  return expectation.replace(/, found .*$/, '')
}

/** The readers say "expected …"; the list of faults says it for them. */
function toExpectation(error: unknown): string {
  return (error as Error).message.replace(/^expected /, '')
}
