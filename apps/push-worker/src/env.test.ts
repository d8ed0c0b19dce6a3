import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import webPush from 'web-push'
import { readMigrationEnv, readPushEnv } from './env.js'

const keys = webPush.generateVAPIDKeys()
const required = {
  RABBITMQ_URL: 'amqp://a:b@localhost/mono',
  DATABASE_URL: 'postgres://a:b@localhost/mono',
  VAPID_SUBJECT: 'mailto:ops@example.com',
  VAPID_PUBLIC_KEY: keys.publicKey,
  VAPID_PRIVATE_KEY: keys.privateKey,
}

const directory = mkdtempSync(join(tmpdir(), 'push-env-'))
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

test('the defaults are those of the documentation', () => {
  expect(readPushEnv(required)).toMatchObject({ httpPort: 9102, prefetch: 100, concurrency: 50, endpointAllow: [] })
})

test('what is missing is reported together', () => {
  expect(() => readPushEnv({})).toThrow(
    /5 faults:[\s\S]*DATABASE_URL[\s\S]*RABBITMQ_URL[\s\S]*VAPID_SUBJECT[\s\S]*VAPID_PUBLIC_KEY[\s\S]*VAPID_PRIVATE_KEY/,
  )
})

test.each(['0', '-1', '1.5', '30d', '36501'])(
  'a ledger that is kept for %s days is a fault',
  (LEDGER_RETENTION_DAYS) => {
    expect(readPushEnv(required).ledgerRetentionDays).toBe(30)
    expect(readPushEnv({ ...required, LEDGER_RETENTION_DAYS: '1' }).ledgerRetentionDays).toBe(1)
    expect(() => readPushEnv({ ...required, LEDGER_RETENTION_DAYS })).toThrow(
      /1 fault:[\s\S]*LEDGER_RETENTION_DAYS: expected an integer from 1 to 36500/,
    )
  },
)

test('migrations need the database only', () => {
  expect(readMigrationEnv({ DATABASE_URL: required.DATABASE_URL })).toMatchObject({
    databaseUrl: required.DATABASE_URL,
  })
})

describe('VAPID', () => {
  test('the private key may come from a file', () => {
    const { VAPID_PRIVATE_KEY, ...rest } = required
    const env = readPushEnv({ ...rest, VAPID_PRIVATE_KEY_FILE: file('vapid', `${VAPID_PRIVATE_KEY}\n`) })
    expect(env.vapidPrivateKey).toBe(VAPID_PRIVATE_KEY)
  })

  test.each(['https://example.com/contact', 'mailto:ops@example.com'])('the subject may be %s', (subject) => {
    expect(readPushEnv({ ...required, VAPID_SUBJECT: subject }).vapidSubject).toBe(subject)
  })

  test.each([
    'ops@example.com',
    'http://example.com',
    'mailto:ops@localhost',
    'mailto: ops@example.com',
    'mailto:<ops@example.com>',
    'mailto:@',
    'mailto:ops@mac.local',
    'https://127.0.0.1/',
  ])('the subject may not be %s, and the fault says what Apple wants', (subject) => {
    expect(() => readPushEnv({ ...required, VAPID_SUBJECT: subject })).toThrow(
      /VAPID_SUBJECT: expected mailto: and one address, or an https: URL, .*Apple refuses every push/,
    )
  })

  test.each(['', 'short', keys.privateKey, `${keys.publicKey}=`])('the public key may not be "%s"', (key) => {
    expect(() => readPushEnv({ ...required, VAPID_PUBLIC_KEY: key })).toThrow(/VAPID_PUBLIC_KEY: expected .* 65 bytes/)
  })

  test('a private key that is none is not shown', () => {
    expect(() => readPushEnv({ ...required, VAPID_PRIVATE_KEY: 'my-secret' })).toThrow(
      /1 fault:[\s\S]*VAPID_PRIVATE_KEY: expected .* 32 bytes .*found a value that is not shown/,
    )
  })

  test('the keys of docker-compose.yml are refused in production only', () => {
    const compose = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8')
    const keyOf = (name: string) => new RegExp(`${name}:-([^}]+)`).exec(compose)?.[1]
    const source = {
      ...required,
      VAPID_PUBLIC_KEY: keyOf('VAPID_PUBLIC_KEY'),
      VAPID_PRIVATE_KEY: keyOf('VAPID_PRIVATE_KEY'),
    }
    expect(readPushEnv(source).vapidPublicKey).toBe(source.VAPID_PUBLIC_KEY)
    expect(() => readPushEnv({ ...source, NODE_ENV: 'production' })).toThrow(/1 fault:[\s\S]*VAPID_PRIVATE_KEY: /)
  })

  test('keys of two pairs are a fault, reported with the others', () => {
    const { publicKey } = webPush.generateVAPIDKeys()
    const source = { ...required, VAPID_PUBLIC_KEY: publicKey, PUSH_CONCURRENCY: '0' }
    expect(() => readPushEnv(source)).toThrow(
      /2 faults:[\s\S]*PUSH_CONCURRENCY[\s\S]*VAPID_PUBLIC_KEY: expected the public key of VAPID_PRIVATE_KEY/,
    )
  })
})

describe('PUSH_ENDPOINT_ALLOW', () => {
  test('lists hosts, and hosts with a port', () => {
    expect(readPushEnv({ ...required, PUSH_ENDPOINT_ALLOW: 'push.example.com,127.0.0.1:8443' }).endpointAllow).toEqual([
      { host: 'push.example.com' },
      { host: '127.0.0.1', port: 8443 },
    ])
  })

  test('names the entry that cannot be used', () => {
    expect(() => readPushEnv({ ...required, PUSH_ENDPOINT_ALLOW: 'push.example.com,localhost' })).toThrow(
      'PUSH_ENDPOINT_ALLOW: expected hosts, and host:port, separated by commas; found "localhost" needs a port',
    )
  })
})

describe('the channels to apps', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const apns = { APNS_KEY_ID: 'ABCDE12345', APNS_TEAM_ID: 'ABCDE12345', APNS_TOPIC: 'com.example.app' }

  test('are not configured unless they are', () => {
    const env = readPushEnv(required)
    expect([env.fcmServiceAccount, env.apnsKey]).toEqual([undefined, undefined])
  })

  test('are configured by their files', () => {
    const APNS_KEY_FILE = file('apns.p8', String(ec))
    const env = readPushEnv({ ...required, ...apns, APNS_KEY_FILE })
    expect(env).toMatchObject({ apnsKey: String(ec).trim() })
  })

  test.each([
    ['APNS_KEY', 'none'],
    ['APNS_KEY', String(rsa)],
    ['APNS_KEY', String(otherCurve.export({ type: 'pkcs8', format: 'pem' }))],
  ])('a file of %s that holds something else is a fault, and not shown', (name, content) => {
    const source = { ...required, ...(name === 'APNS_KEY' ? apns : {}), [`${name}_FILE`]: file('bad', content) }
    expect(() => readPushEnv(source)).toThrow(new RegExp(`1 fault:[\\s\\S]*${name}: expected .*not shown`))
  })

  test('half the settings of Apple are a fault', () => {
    expect(() => readPushEnv({ ...required, ...apns, APNS_TOPIC: '' })).toThrow(
      'APNS_KEY_FILE: expected all of APNS_KEY_FILE, APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC, or none; found nothing for APNS_KEY_FILE, APNS_TOPIC',
    )
  })

  test.each(['APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'])('%s has a form', (name) => {
    expect(() => readPushEnv({ ...required, ...apns, [name]: 'not an id!' })).toThrow(`${name}: expected`)
  })

  test.each(['http://push.example.com', 'https://push.example.com/', 'push.example.com'])('%s is no origin', (text) => {
    expect(() => readPushEnv({ ...required, APNS_SANDBOX_ORIGIN: text })).toThrow(
      'APNS_SANDBOX_ORIGIN: expected an origin',
    )
  })
})
