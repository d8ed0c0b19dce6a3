import { fileURLToPath } from 'node:url'
import {
  EnvError,
  type EnvFault,
  type EnvOf,
  type EnvSource,
  type MigrationEnv,
  migrationEnv,
  oneOf,
  readEnv,
  secret,
  url,
  variable,
  workerEnv,
} from '@mono/worker-runtime'
import { parseSender, type Sender } from './parse-sender.js'
import { defaultMaxConnections, parseSmtpUrl, type SmtpSettings } from './smtp/parse-smtp-url.js'

/**
 * By default the broker hands out two messages for each SMTP connection: while one is being sent, the next is claimed
 * and rendered. More would only wait in line, claimed.
 */
const createShape = (maxConnections: number) => ({
  ...workerEnv({ httpPort: 9103, prefetch: 2 * maxConnections }),
  /** What becomes of a mail that the server may have taken: sent again with the same Message-ID, or left `unknown`. */
  onUnknown: variable('EMAIL_ON_UNKNOWN', oneOf(['resend', 'hold'], { default: 'resend' })),
})

const smtpShape = {
  url: secret('SMTP_URL', url({ schemes: ['smtp', 'smtps'] })),
  nodeEnv: migrationEnv().nodeEnv,
}

/** Of docker-compose.yml. Whatever it takes would be recorded as sent. */
const mailCatcher = 'mail-catcher'

export interface EmailEnv extends EnvOf<ReturnType<typeof createShape>> {
  smtp: SmtpSettings
  from: Sender
  templatesDirectory: string
}

/** The one place of this process that reads the environment. */
const processEnv: EnvSource = process.env

/** @throws EnvError that lists every fault */
export function readEmailEnv(source: EnvSource = processEnv): EmailEnv {
  const faults: EnvFault[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof EnvError)) throw error
      faults.push(...error.faults)
      return undefined
    }
  }
  const smtp = attempt(() => readSmtpSettings(source))
  const from = attempt(() => readSender(source))
  const shared = attempt(() => readEnv(createShape(smtp?.maxConnections ?? defaultMaxConnections), source))
  if (!smtp || !from || !shared) throw new EnvError(faults)
  return { ...shared, smtp, from, templatesDirectory: templatesDirectory(source) }
}

function readSmtpSettings(source: EnvSource): SmtpSettings {
  const { url, nodeEnv } = readEnv(smtpShape, source)
  const settings = parseSettings(url)
  if (nodeEnv === 'production' && settings.host === mailCatcher) {
    const expected = 'a mail server that delivers, because NODE_ENV is production'
    throw new EnvError([{ name: 'SMTP_URL', expected, found: 'the mail catcher of development' }])
  }
  return settings
}

function parseSettings(url: string): SmtpSettings {
  try {
    return parseSmtpUrl(url)
  } catch (error) {
    throw new EnvError([{ name: 'SMTP_URL', expected: toExpectation(error), found: 'a URL that is not shown' }])
  }
}

function readSender(source: EnvSource): Sender {
  const name = 'EMAIL_FROM'
  const text = source[name]?.trim()
  const forms = 'name@example.com or Name <name@example.com>'
  if (!text) throw new EnvError([{ name, expected: forms, found: 'nothing' }])
  try {
    return parseSender(text)
  } catch (error) {
    throw new EnvError([
      { name, expected: `${forms}: ${toExpectation(error)}`, found: JSON.stringify(text.slice(0, 80)) },
    ])
  }
}

/** The readers say "expected …"; the list of faults says it for them. */
function toExpectation(error: unknown): string {
  return (error as Error).message.replace(/^expected /, '')
}

/** The directory of `EMAIL_TEMPLATES_DIR`, by default the one that comes with the worker. */
export function templatesDirectory(source: EnvSource = processEnv): string {
  return source.EMAIL_TEMPLATES_DIR?.trim() || fileURLToPath(new URL('../templates', import.meta.url))
}

/** @throws EnvError that lists every fault */
export function readMigrationEnv(source: EnvSource = processEnv): MigrationEnv {
  return readEnv(migrationEnv(), source)
}
