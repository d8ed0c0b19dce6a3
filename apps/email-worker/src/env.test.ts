import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { toDkimSettings } from './dkim/dkim-env.js'
import { readEmailEnv, readMigrationEnv } from './env.js'
import { providersOf } from './failover/providers-env.js'
import { toMailgunSettings } from './mailgun/mailgun-env.js'
import { toOAuthSettings } from './oauth/oauth-env.js'

const required = {
  RABBITMQ_URL: 'amqp://a:b@localhost/mono',
  DATABASE_URL: 'postgres://a:b@localhost/mono',
  SMTP_URL: 'smtp://localhost:1025',
  EMAIL_FROM: 'Mono <mono@example.com>',
}

test('the defaults are those of the documentation', () => {
  expect(readEmailEnv(required)).toMatchObject({
    httpPort: 9103,
    prefetch: 100,
    onUnknown: 'resend',
    smtp: {
      host: 'localhost',
      port: 1025,
      tls: 'opportunistic',
      maxConnections: 10,
      maxMessages: 100,
      greetingTimeoutMs: 300_000,
      commandTimeoutMs: 300_000,
      finalDotTimeoutMs: 600_000,
    },
    from: { name: 'Mono', address: 'mono@example.com' },
  })
})

test('the built-in templates are the default', () => {
  const { templatesDirectory } = readEmailEnv(required)
  expect(existsSync(join(templatesDirectory, 'welcome/schema.json'))).toBe(true)
  expect(readEmailEnv({ ...required, EMAIL_TEMPLATES_DIR: '/etc/mails' }).templatesDirectory).toBe('/etc/mails')
})

test('the prefetch is ten for each SMTP connection, unless it is set', () => {
  const SMTP_URL = 'smtp://localhost?maxConnections=4'
  expect(readEmailEnv({ ...required, SMTP_URL }).prefetch).toBe(40)
  expect(readEmailEnv({ ...required, SMTP_URL, PREFETCH: '3' }).prefetch).toBe(3)
})

test('the SMTP URL is a secret: it may come from a file, and is in no fault', () => {
  expect(() => readEmailEnv({ ...required, SMTP_URL: '' })).toThrow('or SMTP_URL_FILE naming a file with it')
  const read = () => readEmailEnv({ ...required, SMTP_URL: 'smtp://user:s3cret@localhost?pool=true' })
  expect(read).toThrow('SMTP_URL: expected no parameters but tls, maxConnections, maxMessages')
  expect(read).not.toThrow('s3cret')
})

test('in production the development password is refused in the SMTP URL too', () => {
  const SMTP_URL = 'smtp://mono:admin123@localhost'
  expect(() => readEmailEnv({ ...required, SMTP_URL, NODE_ENV: 'production' })).toThrow(/SMTP_URL: .*admin123/)
})

test('in production the mail catcher of docker-compose.yml is refused: it takes mails and delivers none', () => {
  const SMTP_URL = 'smtp://mail-catcher:1025'
  expect(readEmailEnv({ ...required, SMTP_URL }).smtp?.host).toBe('mail-catcher')
  expect(() => readEmailEnv({ ...required, SMTP_URL, NODE_ENV: 'production' })).toThrow(
    'SMTP_URL: expected a mail server that delivers, because NODE_ENV is production; found the mail catcher',
  )
})

test('a sender that is no address is a fault that says why', () => {
  expect(() => readEmailEnv({ ...required, EMAIL_FROM: 'mono' })).toThrow(
    'EMAIL_FROM: expected name@example.com or Name <name@example.com>: one email address such as name@example.com; found "mono"',
  )
})

test('where answers go may be said, and is nowhere by default', () => {
  expect(readEmailEnv(required).replyTo).toBeUndefined()
  expect(readEmailEnv({ ...required, EMAIL_REPLY_TO: '' }).replyTo).toBeUndefined()
  expect(readEmailEnv({ ...required, EMAIL_REPLY_TO: 'Help <help@example.com>' }).replyTo).toEqual({
    name: 'Help',
    address: 'help@example.com',
  })
  expect(() => readEmailEnv({ ...required, EMAIL_REPLY_TO: 'zoë@example.com' })).toThrow(
    'EMAIL_REPLY_TO: expected name@example.com or Name <name@example.com>: ASCII before the @; found "zoë@example.com"',
  )
})

describe('OAuth 2', () => {
  const oauth = {
    SMTP_URL: 'smtp://mono%40example.com@smtp.example.com',
    SMTP_OAUTH_TOKEN_URL: 'https://login.example.com/tenant/oauth2/v2.0/token',
    SMTP_OAUTH_CLIENT_ID: 'mono',
    SMTP_OAUTH_CLIENT_SECRET: 's3cret',
  }
  const read = (fields: Record<string, string>) => readEmailEnv({ ...required, ...oauth, ...fields })

  test('is off by default', () => {
    expect(toOAuthSettings(readEmailEnv(required))).toBeUndefined()
  })

  test('is on with a token endpoint, an app, and a user without a password', () => {
    const env = read({})
    expect(env.smtp?.auth).toEqual({ user: 'mono@example.com', pass: '' })
    expect(toOAuthSettings(env)).toEqual({
      tokenUrl: new URL(oauth.SMTP_OAUTH_TOKEN_URL),
      clientId: 'mono',
      clientSecret: 's3cret',
      scope: undefined,
      refreshToken: undefined,
    })
    const scope = 'https://mail.google.com/'
    expect(toOAuthSettings(read({ SMTP_OAUTH_SCOPE: scope, SMTP_OAUTH_REFRESH_TOKEN: '1//abc' }))).toMatchObject({
      scope,
      refreshToken: '1//abc',
    })
  })

  test('the secret and the refresh token may come from files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'email-env-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    for (const name of ['secret', 'token']) writeFileSync(join(directory, name), `${name} of a file\n`)
    const files = {
      SMTP_OAUTH_CLIENT_SECRET: '',
      SMTP_OAUTH_CLIENT_SECRET_FILE: join(directory, 'secret'),
      SMTP_OAUTH_REFRESH_TOKEN_FILE: join(directory, 'token'),
    }
    expect(toOAuthSettings(read(files))).toMatchObject({
      clientSecret: 'secret of a file',
      refreshToken: 'token of a file',
    })
  })

  test.each([
    [
      { SMTP_OAUTH_CLIENT_SECRET: '' },
      'SMTP_OAUTH_CLIENT_SECRET: expected all of SMTP_OAUTH_TOKEN_URL, SMTP_OAUTH_CLIENT_ID, SMTP_OAUTH_CLIENT_SECRET, or none; found nothing for SMTP_OAUTH_CLIENT_SECRET',
    ],
    [
      {
        SMTP_OAUTH_TOKEN_URL: '',
        SMTP_OAUTH_CLIENT_ID: '',
        SMTP_OAUTH_CLIENT_SECRET: '',
        SMTP_OAUTH_REFRESH_TOKEN: 's3cret',
      },
      'SMTP_OAUTH_TOKEN_URL: expected an https:// URL, because SMTP_OAUTH_SCOPE or SMTP_OAUTH_REFRESH_TOKEN is set; found nothing',
    ],
    [
      { SMTP_OAUTH_TOKEN_URL: 'http://login.example.com/token' },
      'SMTP_OAUTH_TOKEN_URL: expected a https:// URL; found a http:// URL',
    ],
    [
      { SMTP_OAUTH_TOKEN_URL: 'login.example.com' },
      'SMTP_OAUTH_TOKEN_URL: expected a https:// URL; found a text that is not a URL (not shown)',
    ],
    [
      { SMTP_URL: 'smtp://smtp.example.com' },
      'SMTP_URL: expected a user and no password (smtp://user@host), because SMTP_OAUTH_TOKEN_URL is set; found no user',
    ],
    [
      { SMTP_URL: 'smtp://mono:s3cret@smtp.example.com' },
      'SMTP_URL: expected a user and no password (smtp://user@host), because SMTP_OAUTH_TOKEN_URL is set; found a password (not shown)',
    ],
    [{ SMTP_OAUTH_CLIENT_SECRET: 'admin123', NODE_ENV: 'production' }, 'SMTP_OAUTH_CLIENT_SECRET: '],
  ])('%j is a fault, which shows no secret', (fields, fault) => {
    expect(() => read(fields)).toThrow(/1 fault:/)
    expect(() => read(fields)).toThrow(fault)
    expect(() => read(fields)).not.toThrow('s3cret')
  })

  test('is nothing for Mailgun alone', () => {
    const mailgun = { MAILGUN_API_KEY: 'key-0123456789abcdef0123456789abcdef', MAILGUN_DOMAIN: 'example.com' }
    expect(() => read({ SMTP_URL: '', ...mailgun })).toThrow(
      'SMTP_URL: expected a user and no password (smtp://user@host), because SMTP_OAUTH_TOKEN_URL is set; found nothing',
    )
  })
})

describe('DKIM', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const EMAIL_DKIM_KEY = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const dkim = { EMAIL_DKIM_DOMAIN: 'example.com', EMAIL_DKIM_SELECTOR: 'mono-2027', EMAIL_DKIM_KEY }
  const read = (fields: Record<string, string>) => readEmailEnv({ ...required, ...dkim, ...fields })

  test('is off by default', () => {
    expect(toDkimSettings(readEmailEnv(required))).toBeUndefined()
    expect(toDkimSettings(read({ EMAIL_DKIM_DOMAIN: '', EMAIL_DKIM_SELECTOR: '', EMAIL_DKIM_KEY: '' }))).toBeUndefined()
  })

  test('is on with a domain, a selector and a key, which may come from a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'email-env-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'dkim.pem')
    writeFileSync(file, EMAIL_DKIM_KEY)
    for (const fields of [{}, { EMAIL_DKIM_KEY: '', EMAIL_DKIM_KEY_FILE: file }]) {
      const settings = toDkimSettings(read(fields))
      expect(settings).toMatchObject({ domain: 'example.com', selector: 'mono-2027' })
      expect(settings?.key.equals(privateKey)).toBe(true)
    }
  })

  test('half the settings are a fault', () => {
    expect(() => read({ EMAIL_DKIM_SELECTOR: '', EMAIL_DKIM_KEY: '' })).toThrow(
      'EMAIL_DKIM_SELECTOR: expected all of EMAIL_DKIM_DOMAIN, EMAIL_DKIM_SELECTOR, EMAIL_DKIM_KEY_FILE, or none; found nothing for EMAIL_DKIM_SELECTOR, EMAIL_DKIM_KEY_FILE',
    )
  })

  test('a key that cannot be used is a fault, and in no word of it', () => {
    const half = EMAIL_DKIM_KEY.slice(0, 900)
    expect(() => read({ EMAIL_DKIM_KEY: half })).toThrow(
      /1 fault:[\s\S]*EMAIL_DKIM_KEY: expected a private key of RSA in PEM, .*; found a text that is none \(not shown\)$/,
    )
  })

  test.each(['example', 'exa mple.com', '127.0.0.1', 'example.com; p=', 'a'.repeat(300)])(
    'the domain may not be %s',
    (EMAIL_DKIM_DOMAIN) => {
      expect(() => read({ EMAIL_DKIM_DOMAIN })).toThrow(/1 fault:[\s\S]*EMAIL_DKIM_DOMAIN: expected a domain/)
    },
  )

  test.each(['mono_2027', '-mono', 'mono.', 'mono;d', 'a'.repeat(64)])(
    'the selector may not be %s',
    (EMAIL_DKIM_SELECTOR) => {
      expect(() => read({ EMAIL_DKIM_SELECTOR })).toThrow(/1 fault:[\s\S]*EMAIL_DKIM_SELECTOR: expected a selector/)
    },
  )

  test('the domain may be written in the letters of its language', () => {
    const fields = { EMAIL_FROM: 'mono@news.Müller.example', EMAIL_DKIM_DOMAIN: 'müller.example' }
    expect(toDkimSettings(read(fields))?.domain).toBe('xn--mller-kva.example')
  })

  test('a domain that DMARC would not take for the sender’s is a fault', () => {
    expect(() => read({ EMAIL_DKIM_DOMAIN: 'example.org' })).toThrow(
      /1 fault:[\s\S]*EMAIL_DKIM_DOMAIN: expected example.com, as EMAIL_FROM has it, or a domain above or below it \(DMARC\); found example.org$/,
    )
  })
})

describe('Mailgun', () => {
  const { SMTP_URL: _none, ...withoutSmtp } = required
  const mailgun = { MAILGUN_API_KEY: 'key-0123456789abcdef', MAILGUN_DOMAIN: 'mg.example.com' }
  const read = (fields: Record<string, string> = {}) => readEmailEnv({ ...withoutSmtp, ...mailgun, ...fields })

  test('is off by default', () => {
    expect(toMailgunSettings(readEmailEnv(required))).toBeUndefined()
    const empty = { MAILGUN_API_KEY: '', MAILGUN_DOMAIN: '', MAILGUN_ORIGIN: 'https://api.eu.mailgun.net' }
    expect(toMailgunSettings(readEmailEnv({ ...required, ...empty }))).toBeUndefined()
  })

  test('is on with a key and a domain, in the place of a mail server', () => {
    const env = read()
    expect(env.smtp).toBeUndefined()
    expect(toMailgunSettings(env)).toEqual({
      apiKey: 'key-0123456789abcdef',
      domain: 'mg.example.com',
      origin: 'https://api.mailgun.net',
    })
    expect(env.prefetch).toBe(200)
  })

  test('may be there beside a mail server', () => {
    const env = read({ SMTP_URL: 'smtp://localhost?maxConnections=30' })
    expect([env.smtp?.maxConnections, env.mailgunDomain, env.prefetch]).toEqual([30, 'mg.example.com', 300])
  })

  test('has its key from a file, too', () => {
    const directory = mkdtempSync(join(tmpdir(), 'email-env-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'key')
    writeFileSync(file, 'key-of-the-file\n')
    expect(read({ MAILGUN_API_KEY: '', MAILGUN_API_KEY_FILE: file }).mailgunApiKey).toBe('key-of-the-file')
  })

  test('with half its settings is a fault, and no other', () => {
    expect(() => read({ MAILGUN_DOMAIN: '' })).toThrow(
      /1 fault:[\s\S]*MAILGUN_DOMAIN: expected all of MAILGUN_API_KEY, MAILGUN_DOMAIN, or none; found nothing for MAILGUN_DOMAIN$/,
    )
    expect(() => read({ MAILGUN_API_KEY: '' })).toThrow(/1 fault:[\s\S]*MAILGUN_API_KEY: expected all of/)
  })

  test.each([
    ['api:s3cret', 'one with "api:" or "Basic" in front of it'],
    ['Basic s3cret', 'one with "api:" or "Basic" in front of it'],
    ['s3 cret', 'one with white space in it'],
    ['s3cret\nMAILGUN_DOMAIN=x', 'one with white space in it'],
    ['s3crét', 'one with letters other than ASCII in it'],
  ])('does not have the key %j', (MAILGUN_API_KEY, found) => {
    const readIt = () => read({ MAILGUN_API_KEY })
    expect(readIt).toThrow(`found ${found} (not shown)`)
    expect(readIt).toThrow(/1 fault:/)
    expect(readIt).not.toThrow(/s3c?/)
  })

  test.each(['example', 'exa mple.com', 'https://mg.example.com', 'mg.example.com/', '127.0.0.1'])(
    'does not have the domain %s',
    (MAILGUN_DOMAIN) => {
      expect(() => read({ MAILGUN_DOMAIN })).toThrow(/1 fault:[\s\S]*MAILGUN_DOMAIN: expected a domain/)
    },
  )

  test('has a domain that DMARC takes for the sender’s', () => {
    for (const MAILGUN_DOMAIN of ['example.com', 'mg.example.com', 'MG.Example.com']) read({ MAILGUN_DOMAIN })
    expect(() => read({ MAILGUN_DOMAIN: 'sandbox1.mailgun.org' })).toThrow(
      /1 fault:[\s\S]*MAILGUN_DOMAIN: expected example.com, as EMAIL_FROM has it, or a domain above or below it \(DMARC\); found sandbox1.mailgun.org$/,
    )
  })

  test.each(['http://api.mailgun.net', 'https://api.mailgun.net/v3', 'api.eu.mailgun.net'])(
    'is not asked at %s',
    (MAILGUN_ORIGIN) => {
      expect(() => read({ MAILGUN_ORIGIN })).toThrow(
        /1 fault:[\s\S]*MAILGUN_ORIGIN: expected an origin such as https:\/\/api.mailgun.net, without a path/,
      )
    },
  )
})

describe('the order of providers', () => {
  const mailgun = { MAILGUN_API_KEY: 'key-1', MAILGUN_DOMAIN: 'example.com' }
  const orderOf = (fields: Record<string, string>) => providersOf(readEmailEnv({ ...required, ...fields }))

  test('is by default that of those who are configured, the mail server first', () => {
    expect(orderOf({})).toEqual(['smtp'])
    expect(orderOf(mailgun)).toEqual(['smtp', 'mailgun'])
    expect(orderOf({ ...mailgun, SMTP_URL: '' })).toEqual(['mailgun'])
  })

  test('may be said; who is not named is not used', () => {
    expect(orderOf({ ...mailgun, EMAIL_PROVIDERS: ' mailgun , smtp ' })).toEqual(['mailgun', 'smtp'])
    expect(orderOf({ ...mailgun, EMAIL_PROVIDERS: 'mailgun' })).toEqual(['mailgun'])
    const env = readEmailEnv({ ...required, ...mailgun, EMAIL_PROVIDERS: 'smtp' })
    expect(env.prefetch).toBe(100)
  })

  test.each(['postmark', 'smtp,', 'smtp,smtp', 'SMTP', ','])('may not be %s', (EMAIL_PROVIDERS) => {
    expect(() => readEmailEnv({ ...required, ...mailgun, EMAIL_PROVIDERS })).toThrow(
      /1 fault:[\s\S]*EMAIL_PROVIDERS: expected smtp, mailgun, separated by commas, in the order of trying, each once; found "/,
    )
  })

  test('may leave the mail catcher of development out in production', () => {
    const fields = { ...mailgun, SMTP_URL: 'smtp://mail-catcher:1025', NODE_ENV: 'production' }
    expect(() => orderOf(fields)).toThrow('SMTP_URL: expected a mail server that delivers')
    expect(orderOf({ ...fields, EMAIL_PROVIDERS: 'mailgun' })).toEqual(['mailgun'])
  })

  test('may leave the Mailgun of docker-compose.mailgun.yml out in production, and has to', () => {
    const fields = { ...mailgun, MAILGUN_ORIGIN: 'https://mailgun:8443' }
    expect(orderOf(fields)).toEqual(['smtp', 'mailgun'])
    expect(() => orderOf({ ...fields, NODE_ENV: 'production' })).toThrow(
      'MAILGUN_ORIGIN: expected Mailgun itself, which delivers, because NODE_ENV is production; found the Mailgun of development',
    )
    expect(orderOf({ ...fields, NODE_ENV: 'production', EMAIL_PROVIDERS: 'smtp' })).toEqual(['smtp'])
  })

  test('names nobody without settings', () => {
    expect(() => readEmailEnv({ ...required, EMAIL_PROVIDERS: 'smtp,mailgun' })).toThrow(
      /1 fault:[\s\S]*MAILGUN_API_KEY: expected a key of Mailgun, or MAILGUN_API_KEY_FILE naming a file with it, because EMAIL_PROVIDERS names it; found nothing$/,
    )
    expect(() => readEmailEnv({ ...required, ...mailgun, SMTP_URL: '', EMAIL_PROVIDERS: 'mailgun,smtp' })).toThrow(
      /1 fault:[\s\S]*SMTP_URL: expected a smtp:\/\/ or smtps:\/\/ URL, .*, because EMAIL_PROVIDERS names it; found nothing$/,
    )
  })
})

test('all faults are reported together', () => {
  expect(() => readEmailEnv({ EMAIL_ON_UNKNOWN: 'maybe', PREFETCH: '0' })).toThrow(
    /6 faults:[\s\S]*EMAIL_FROM[\s\S]*DATABASE_URL[\s\S]*RABBITMQ_URL[\s\S]*PREFETCH[\s\S]*EMAIL_ON_UNKNOWN[\s\S]*SMTP_URL/,
  )
})

test.each(['0', '-1', '1.5', '30d', '36501'])(
  'a ledger that is kept for %s days is a fault',
  (LEDGER_RETENTION_DAYS) => {
    expect(readEmailEnv(required).ledgerRetentionDays).toBe(30)
    expect(readEmailEnv({ ...required, LEDGER_RETENTION_DAYS: '1' }).ledgerRetentionDays).toBe(1)
    expect(() => readEmailEnv({ ...required, LEDGER_RETENTION_DAYS })).toThrow(
      /1 fault:[\s\S]*LEDGER_RETENTION_DAYS: expected an integer from 1 to 36500/,
    )
  },
)

test('migrations need the database only', () => {
  expect(readMigrationEnv({ DATABASE_URL: required.DATABASE_URL })).toMatchObject({
    databaseUrl: required.DATABASE_URL,
  })
})
