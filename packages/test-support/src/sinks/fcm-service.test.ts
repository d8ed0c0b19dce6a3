import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect } from 'vitest'
import { createH1Client, createH2Client, type PushClient } from '../../test/fixtures/push-client.js'
import { test as base } from '../test.js'
import { closeSink } from './close-sink.js'
import { createFcmError, createFcmService, type FcmDevice, type FcmService } from './index.js'

interface Fixtures {
  service: FcmService
  client: PushClient
}

const withClient = (createClient: (ca: string) => PushClient) =>
  base.extend<Fixtures>({
    // biome-ignore lint/correctness/noEmptyPattern: Vitest needs the braces.
    service: async ({}, use) => {
      const service = await createFcmService()
      await use(service)
      await closeSink('FCM service', service)
    },
    client: async ({ service }, use) => {
      const client = createClient(service.ca)
      await use(client)
      client.close()
    },
  })

const test = withClient(createH2Client)

const now = () => Math.floor(Date.now() / 1000)

interface Assertion {
  header?: object
  claims?: object
  key?: string
  form?: object
}

function createForm({ tokenEndpoint: { serviceAccount } }: FcmService, { header, claims, key, form }: Assertion = {}) {
  const { client_email: iss, private_key_id: kid, private_key, token_uri: aud } = serviceAccount
  const scope = 'https://www.googleapis.com/auth/firebase.messaging'
  const content = [
    { alg: 'RS256', typ: 'JWT', kid, ...header },
    { iss, scope, aud, iat: now(), exp: now() + 3600, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(content), createPrivateKey(key ?? private_key)).toString('base64url')
  return new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${content}.${signature}`,
    ...form,
  }).toString()
}

async function askForToken(service: FcmService, client: PushClient, assertion?: Assertion) {
  const { status, body } = await client.send({
    url: service.tokenEndpoint.serviceAccount.token_uri,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(createForm(service, assertion)),
  })
  return { status, ...JSON.parse(body) }
}

interface Sending {
  message?: object
  validate_only?: boolean
  body?: string
  path?: string
  authorization?: string
}

/** Sends a message that is in order, but for what is said. */
async function send(service: FcmService, client: PushClient, device: FcmDevice, sending: Sending = {}) {
  const { message, path = '/v1/projects/test-project/messages:send', ...rest } = sending
  const { access_token } = await askForToken(service, client)
  const content = { message: { [device.addressKind]: device.address, ...message }, ...rest }
  return await client.send({
    url: `${service.origin}${path}`,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: rest.authorization ?? `Bearer ${access_token}` },
    body: Buffer.from(rest.body ?? JSON.stringify(content)),
  })
}

describe.each([
  ['h2', createH2Client],
  ['http/1.1', createH1Client],
] as const)('over %s', (protocol, createClient) => {
  withClient(createClient)('delivers a message in order, and keeps it as it came', async ({ service, client }) => {
    const device = service.register()
    const message = { notification: { title: 'Grüße', body: '🔔' }, data: { id: '7' }, android: { ttl: '60s' } }
    expect(await send(service, client, device, { message })).toMatchObject({
      status: 200,
      body: '{"name":"projects/test-project/messages/1"}',
    })
    expect(service.received).toMatchObject([
      { device, name: 'projects/test-project/messages/1', message: { token: device.address, ...message } },
    ])
    expect(service.attempts).toMatchObject([{ device, protocol, answer: 200, reason: undefined }])
  })
})

describe('the token endpoint', () => {
  test('gives out a token for an assertion in order', async ({ service, client }) => {
    expect(await askForToken(service, client)).toEqual({
      status: 200,
      access_token: expect.stringMatching(/^ya29\./),
      expires_in: 3599,
      token_type: 'Bearer',
    })
    expect(service.tokenEndpoint.attempts).toMatchObject([{ answer: 200, reason: undefined }])
  })

  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const refusals: [string, Assertion, RegExp][] = [
    ['of another grant type', { form: { grant_type: 'client_credentials' } }, /grant type/],
    ['without an assertion', { form: { assertion: '' } }, /not a signed JWT/],
    ['of another algorithm', { header: { alg: 'none' } }, /RS256, found none/],
    ['of a key that it does not know', { header: { kid: 'other' } }, /no such key/],
    ['signed with another key', { key: otherKey }, /Invalid JWT Signature/],
    ['of another account', { claims: { iss: 'a@example.com' } }, /Invalid issuer/],
    ['for another scope', { claims: { scope: 'https://www.googleapis.com/auth/drive' } }, /Expected the scope/],
    ['for another audience', { claims: { aud: 'https://example.com/' } }, /Expected the audience/],
    ['for more than an hour', { claims: { exp: now() + 3700 } }, /short-lived/],
    ['of ten minutes ago', { claims: { iat: now() - 600 } }, /reasonable timeframe/],
    ['of ten minutes ahead', { claims: { iat: now() + 600, exp: now() + 3600 } }, /reasonable timeframe/],
    ['that has ended', { claims: { exp: now() - 1 } }, /reasonable timeframe/],
  ]

  test.for(refusals)('refuses a request %s', async ([, assertion, reason], { service, client }) => {
    expect(await askForToken(service, client, assertion)).toEqual({
      status: 400,
      error: 'invalid_grant',
      error_description: expect.stringMatching(reason),
    })
    expect(service.tokenEndpoint.attempts).toMatchObject([{ answer: 400, reason: expect.stringMatching(reason) }])
  })

  test('with a clock ten minutes off refuses what is in order', async ({ service, client }) => {
    service.tokenEndpoint.shiftClock(600_000)
    expect(await askForToken(service, client)).toMatchObject({ status: 400, error: 'invalid_grant' })
  })

  test('answers as it was told', async ({ service, client }) => {
    service.tokenEndpoint.answer([{ status: 503, body: '{"error":"busy"}' }, 'reset'])
    expect(await askForToken(service, client)).toEqual({ status: 503, error: 'busy' })
    await expect(askForToken(service, client)).rejects.toThrow(SyntaxError)
    expect(service.tokenEndpoint.attempts).toMatchObject([{ answer: 503 }, { answer: 'reset' }])
  })
})

describe('an access token', () => {
  const refused = { status: 401, body: expect.stringContaining('"UNAUTHENTICATED"') }

  test.for(['', 'Bearer ya29.other', 'Basic YTpi'])(
    'is needed, and %j is none',
    async (authorization, { service, client }) => {
      expect(await send(service, client, service.register(), { authorization })).toMatchObject(refused)
      expect(service.received).toEqual([])
    },
  )

  test('ends', async ({ service, client }) => {
    service.tokenEndpoint.setLifetime(-1)
    expect(await send(service, client, service.register())).toMatchObject(refused)
  })

  test('is revoked', async ({ service, client }) => {
    const { access_token } = await askForToken(service, client)
    service.tokenEndpoint.revokeAll()
    const authorization = `Bearer ${access_token}`
    expect(await send(service, client, service.register(), { authorization })).toMatchObject(refused)
  })
})

const fcmError = (errorCode: string) =>
  expect.objectContaining({ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode })
const badRequest = (field: string) => expect.objectContaining({ fieldViolations: [expect.objectContaining({ field })] })

const refusals: [string, Sending, number, unknown[]][] = [
  ['of another project', { path: '/v1/projects/other/messages:send' }, 403, []],
  ['that is no JSON', { body: 'x' }, 400, []],
  ['with two addresses', { message: { fid: 'x', token: 'y' } }, 400, [fcmError('INVALID_ARGUMENT')]],
  ['for a topic', { message: { token: undefined, topic: 'news' } }, 400, [fcmError('INVALID_ARGUMENT')]],
  [
    'with an address that is none',
    { message: { token: '' } },
    400,
    [fcmError('INVALID_ARGUMENT'), badRequest('message.token')],
  ],
  ['for nobody', { message: { token: 'unknown' } }, 404, [fcmError('UNREGISTERED')]],
  ['with a number in its data', { message: { data: { a: 'x', b: 7 } } }, 400, [badRequest('message.data[1].value')]],
  ['with a key of FCM’s', { message: { data: { from: 'x' } } }, 400, [fcmError('INVALID_ARGUMENT')]],
  ['with a key of Google’s', { message: { data: { 'google.c': 'x' } } }, 400, [fcmError('INVALID_ARGUMENT')]],
  ['with a time without unit', { message: { android: { ttl: '60' } } }, 400, [badRequest('message.android.ttl')]],
  ['for five weeks', { message: { android: { ttl: '3024000s' } } }, 400, [badRequest('message.android.ttl')]],
  ['of another priority', { message: { android: { priority: 'LOW' } } }, 400, [badRequest('message.android.priority')]],
  ['with a field that is not there', { message: { title: 'x' } }, 400, [badRequest('message')]],
  ['with such a field below', { message: { notification: { tag: 'x' } } }, 400, [badRequest('message.notification')]],
  ['of 4097 bytes', { message: { data: { a: 'x'.repeat(4096) } } }, 400, [fcmError('INVALID_ARGUMENT')]],
]

test.for(refusals)('refuses a message %s', async ([, sending, status, details], { service, client }) => {
  const answer = await send(service, client, service.register(), sending)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body).error).toMatchObject({ code: status, details })
  expect(service.received).toEqual([])
  expect(service.attempts).toMatchObject([{ answer: status, reason: expect.any(String) }])
})

test('takes 4096 bytes', async ({ service, client }) => {
  const message = { data: { a: 'x'.repeat(4095) } }
  expect(await send(service, client, service.register(), { message })).toMatchObject({ status: 200 })
})

test('knows an installation id as one only, and nobody who was removed', async ({ service, client }) => {
  const device = service.register({ addressKind: 'fid' })
  expect(await send(service, client, { ...device, addressKind: 'token' })).toMatchObject({ status: 404 })
  expect(await send(service, client, device)).toMatchObject({ status: 200 })
  service.unregister(device)
  expect(await send(service, client, device)).toMatchObject({ status: 404 })
})

test('has a page for every other path', async ({ service, client }) => {
  expect(await send(service, client, service.register(), { path: '/v1/messages:send' })).toMatchObject({
    status: 404,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: expect.stringContaining('<title>'),
  })
})

test('checks a message that is only to be checked, and does not deliver it', async ({ service, client }) => {
  const device = service.register()
  expect(await send(service, client, device, { validate_only: true })).toMatchObject({ status: 200 })
  const message = { data: { from: 'x' } }
  expect(await send(service, client, device, { validate_only: true, message })).toMatchObject({ status: 400 })
  service.answer('all', 503)
  expect(await send(service, client, device, { validate_only: true })).toMatchObject({ status: 200 })
  service.answer('probes', [403])
  expect(await send(service, client, device, { validate_only: true })).toMatchObject({ status: 403 })
  expect(service.probes.map(({ answer }) => answer)).toEqual([200, 400, 200, 403])
  expect([service.received, service.attempts]).toEqual([[], []])
})

test('answers as it was told, to one device or to all', async ({ service, client }) => {
  const [one, other] = [service.register(), service.register()]
  service.answer(one, [createFcmError(503, { errorCode: 'UNAVAILABLE', retryAfter: 3 })])
  expect(await send(service, client, one)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '3' },
    body: expect.stringContaining('"errorCode": "UNAVAILABLE"'),
  })
  expect(await send(service, client, other)).toMatchObject({ status: 200 })
  expect(await send(service, client, one)).toMatchObject({ status: 200 })
  service.answer('all', { status: 404, body: '<title>Not Found</title>' })
  expect(await send(service, client, one)).toMatchObject({ status: 404, body: '<title>Not Found</title>' })
  expect(service.received).toHaveLength(2)
})

test('delivers although it says something else, if it was told to', async ({ service, client }) => {
  const device = service.register()
  service.answer(device, [{ status: 503, delivers: true }, { status: 200, body: 'Sign in' }, 'goaway'])
  expect(await send(service, client, device)).toMatchObject({ status: 503, body: '' })
  expect(await send(service, client, device)).toMatchObject({ status: 200, body: 'Sign in' })
  expect(await send(service, client, device)).toMatchObject({
    status: 200,
    body: expect.stringContaining('messages/3'),
  })
  expect(service.received).toHaveLength(3)
})
