import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEnv } from '@mono/worker-runtime'
import { afterAll, describe, expect, test } from 'vitest'
import { fcmEnv } from './fcm-env.js'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const ecPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

const account = {
  type: 'service_account',
  project_id: 'my-project',
  private_key_id: 'key-1',
  private_key: pem,
  client_email: 'push@my-project.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
}

const directory = mkdtempSync(join(tmpdir(), 'fcm-env-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** The environment with a key file of this content. */
function withFile(content: string) {
  const path = join(directory, 'account.json')
  writeFileSync(path, content)
  return { FCM_SERVICE_ACCOUNT_FILE: path }
}

const read = (source: Record<string, string>) => readEnv(fcmEnv, source)

function messageOf(source: Record<string, string>): string {
  try {
    read(source)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('Expected the environment to be refused, but it was accepted')
}

test('without a service account the channel is off', () => {
  expect(read({})).toEqual({ fcmServiceAccount: undefined, fcmOrigin: 'https://fcm.googleapis.com' })
})

test('the key file is read', () => {
  const { fcmServiceAccount } = read(withFile(JSON.stringify(account, undefined, 2)))
  expect(fcmServiceAccount).toMatchObject({
    projectId: 'my-project',
    clientEmail: 'push@my-project.iam.gserviceaccount.com',
    privateKeyId: 'key-1',
  })
  expect(fcmServiceAccount?.tokenUri.href).toBe('https://oauth2.googleapis.com/token')
  expect(fcmServiceAccount?.privateKey.equals(privateKey)).toBe(true)
})

test('without a token_uri it is Google’s', () => {
  const { token_uri: _without, ...rest } = account
  const { fcmServiceAccount } = read({ FCM_SERVICE_ACCOUNT: JSON.stringify(rest) })
  expect(fcmServiceAccount?.tokenUri.href).toBe('https://oauth2.googleapis.com/token')
})

describe('a fault is named, and nothing of the file is shown:', () => {
  const cases: [string, string, string[]][] = [
    ['no JSON', 'private', ['the key file of a service account; found no JSON object']],
    ['JSON that is no object', '"private"', ['the key file of a service account; found no JSON object']],
    ['the file of a user', json({ type: 'authorized_user' }), ['the type service_account; found JSON of another type']],
    ['no private key', json({ private_key: undefined }), ['a text as private_key; found none']],
    ['a private key that is none', json({ private_key: 'private' }), ['private_key to be an RSA key in PEM; found']],
    [
      'a key of another kind',
      json({ private_key: ecPem }),
      ['private_key to be an RSA key in PEM; found another text'],
    ],
    ['no id of the key', json({ private_key_id: undefined }), ['a text as private_key_id; found none']],
    ['no project', json({ project_id: undefined }), ['a text as project_id; found none']],
    ['no address', json({ client_email: 7 }), ['a text as client_email; found none']],
    ['a token endpoint without TLS', json({ token_uri: 'http://private/' }), ['token_uri to be an https: URL; found']],
    ['a token endpoint that is no URL', json({ token_uri: 'private' }), ['token_uri to be an https: URL; found']],
    [
      'several together',
      json({ project_id: '', client_email: '', token_uri: 'private' }),
      ['a text as project_id', 'a text as client_email', 'token_uri to be an https: URL'],
    ],
  ]

  test.each(cases)('%s', (_name, content, expected) => {
    const message = messageOf(withFile(content))
    expect(message).toMatch(new RegExp(`has ${expected.length} faults?:`))
    for (const text of expected) expect(message).toContain(`FCM_SERVICE_ACCOUNT: expected ${text}`)
    expect(message).not.toMatch(/found.*("private"|http:|BEGIN|authorized_user)/)
  })

  test('a file that is not there', () => {
    expect(messageOf({ FCM_SERVICE_ACCOUNT_FILE: '/nowhere.json' })).toContain(
      'FCM_SERVICE_ACCOUNT_FILE: expected a file that can be read; found /nowhere.json (ENOENT)',
    )
  })

  function json(fields: object): string {
    return JSON.stringify({ ...account, ...fields })
  }
})

test('an origin has no path', () => {
  expect(messageOf({ FCM_ORIGIN: 'https://push.example.com/v1' })).toContain('FCM_ORIGIN: expected an origin')
})
