import { randomBytes } from 'node:crypto'
import { describe, expect, vi } from 'vitest'
import webPush from 'web-push'
import {
  createH1Client,
  createH2Client,
  createRequest,
  type Outgoing,
  signVapid,
  vapidKeys,
} from '../../test/fixtures/push-client.js'
import { test } from '../test.js'
import { createPushService, type PushDevice } from './index.js'

const now = () => Math.floor(Date.now() / 1000)

/** Over HTTP/1.1, on a connection of its own. */
async function send(service: { ca: string }, request: Outgoing) {
  const client = createH1Client(service.ca)
  try {
    return await client.send(request)
  } finally {
    client.close()
  }
}

describe.each([
  ['h2', createH2Client],
  ['http/1.1', createH1Client],
] as const)('over %s', (protocol, createClient) => {
  test('decrypts what web-push has encrypted', async ({ pushService, cleanUp }) => {
    const client = createClient(pushService.ca)
    cleanUp(() => client.close())
    const device = pushService.subscribe()
    const payload = JSON.stringify({ title: 'Grüße', body: '🔔'.repeat(100) })
    const answer = await client.send(createRequest(device, { payload, urgency: 'high', topic: 'news' }))
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: expect.stringMatching(/^https:.*\/message\/1$/) },
    })
    expect(pushService.received).toMatchObject([
      { device, payload, ttl: 60, urgency: 'high', topic: 'news', location: answer.headers.location },
    ])
    expect(pushService.attempts).toMatchObject([{ device, protocol, answer: 201, reason: undefined }])
  })

  test('takes 4096 bytes and refuses one more', async ({ pushService, cleanUp }) => {
    const client = createClient(pushService.ca)
    cleanUp(() => client.close())
    const device = pushService.subscribe()
    const fits = createRequest(device, { payload: 'x'.repeat(3993) })
    const tooLong = createRequest(device, { payload: 'x'.repeat(3994) })
    expect([fits.body.length, tooLong.body.length]).toEqual([4096, 4097])
    expect(await client.send(fits)).toMatchObject({ status: 201 })
    expect(await client.send(tooLong)).toMatchObject({ status: 413, body: 'Expected a body of at most 4096 bytes' })
    expect(pushService.received).toHaveLength(1)
  })
})

const other = webPush.generateVAPIDKeys()
const claims = (device: PushDevice) => ({
  aud: new URL(device.endpoint).origin,
  exp: now() + 3600,
  sub: 'mailto:test@example.com',
})

/** Each from a request that is in order. */
const refusals: [
  title: string,
  change: (request: Outgoing, device: PushDevice) => void,
  status: number,
  reason: RegExp,
][] = [
  ['without Authorization', ({ headers }) => delete headers.authorization, 401, /Authorization header, found none/],
  ['of another scheme', ({ headers }) => Object.assign(headers, { authorization: 'Bearer x' }), 401, /be `vapid/],
  ['without `k`', authorize((value) => value.replace(/, k=.*/, '')), 401, /the parameters `t` and `k`/],
  [
    'signed with another key than `k`',
    authorize((value) => value.replace(/k=.*/, `k=${other.publicKey}`)),
    403,
    /signature of the token does not fit/,
  ],
  ['whose `k` is no key', authorize((value) => value.replace(/k=.*/, 'k=AAAA')), 403, /not a point of P-256/],
  ['with a token that is no JWT', authorize(() => `vapid t=abc, k=${vapidKeys.publicKey}`), 403, /not a signed JWT/],
  ['for another audience', sign(() => ({ aud: 'https://push.example.com' })), 403, /audience https:\/\/localhost:/],
  ['with an expired token', sign(() => ({ exp: now() - 1 })), 403, /has expired/],
  ['with a token for too long', sign(() => ({ exp: now() + 24 * 3600 + 5 })), 403, /more than 24 hours/],
  ['with a token without `exp`', sign(() => ({ exp: undefined })), 403, /no numeric `exp`/],
  ['with a subject that is no contact', sign(() => ({ sub: 'me' })), 403, /subject is neither/],
  [
    'with another algorithm',
    (request, device) => {
      request.headers.authorization = signVapid(claims(device), { header: { typ: 'JWT', alg: 'none' } })
    },
    403,
    /ES256, found none/,
  ],
  ['without TTL', ({ headers }) => delete headers.ttl, 400, /a TTL header, found none/],
  ['with a TTL that is no number', ({ headers }) => Object.assign(headers, { ttl: 'NaN' }), 400, /found NaN/],
  ['with an unknown urgency', ({ headers }) => Object.assign(headers, { urgency: 'now' }), 400, /found now/],
  ['with a topic that is too long', ({ headers }) => Object.assign(headers, { topic: 'x'.repeat(33) }), 400, /32/],
  [
    'that is not marked as encrypted',
    ({ headers }) => delete headers['content-encoding'],
    400,
    /Content-Encoding aes128gcm, found none/,
  ],
  ['that was tampered with', tamper((body) => body.length - 20), 400, /cannot be decrypted/],
  ['with another salt', tamper(() => 0), 400, /cannot be decrypted/],
  ["with a damaged sender's key", tamper(() => 40), 400, /not a point of P-256/],
  ['that is no encrypted message', (request) => replaceBody(request, Buffer.from('hello')), 400, /too short/],
  ['of several records', (request) => request.body.writeUInt32BE(18, 16), 400, /more than one record/],
  ['by GET', (request) => Object.assign(request, { method: 'GET' }), 405, /found GET/],
  ['to an unknown endpoint', (request) => Object.assign(request, { url: `${request.url}0` }), 404, /no such/],
]

test.for(refusals)('refuses a message %s', async ([, change, status, reason], { pushService }) => {
  const device = pushService.subscribe()
  const request = createRequest(device)
  change(request, device)
  expect(await send(pushService, request)).toMatchObject({ status, body: expect.stringMatching(reason) })
  expect(pushService.received).toEqual([])
  expect(pushService.attempts).toMatchObject([{ answer: status, reason: expect.stringMatching(reason) }])
})

function authorize(change: (value: string) => string) {
  return ({ headers }: Outgoing) => {
    headers.authorization = change(String(headers.authorization))
  }
}

function sign(change: () => object) {
  return ({ headers }: Outgoing, device: PushDevice) => {
    headers.authorization = signVapid({ ...claims(device), ...change() })
  }
}

function tamper(at: (body: Buffer) => number) {
  return ({ body }: Outgoing) => {
    const index = at(body)
    body[index] = (body[index] ?? 0) ^ 1
  }
}

function replaceBody(request: Outgoing, body: Buffer) {
  Object.assign(request, { body })
  request.headers['content-length'] = body.length
}

test('a header made with the test keys is in order as it is', async ({ pushService }) => {
  const device = pushService.subscribe()
  const request = createRequest(device, { headers: { authorization: signVapid(claims(device)) } })
  expect(await send(pushService, request)).toMatchObject({ status: 201 })
})

test.for<[string, (device: PushDevice, strange: PushDevice) => PushDevice]>([
  ['public key', (device, { p256dh }) => ({ ...device, p256dh })],
  ['secret', (device, { auth }) => ({ ...device, auth })],
])("refuses what is encrypted with another device's %s", async ([, mix], { pushService }) => {
  const device = pushService.subscribe()
  const request = createRequest(mix(device, pushService.subscribe()))
  expect(await send(pushService, request)).toMatchObject({
    status: 400,
    body: expect.stringMatching(/cannot be decrypted/),
  })
})

test('a subscription with a key takes no message signed with another', async ({ pushService }) => {
  const device = pushService.subscribe({ vapidPublicKey: other.publicKey })
  expect(await send(pushService, createRequest(device))).toMatchObject({ status: 403 })
  expect(await send(pushService, createRequest(device, { keys: other }))).toMatchObject({ status: 201 })
})

test('the key of the service holds for subscriptions without one', async ({ cleanUp }) => {
  const pushService = await createPushService({ vapidPublicKey: vapidKeys.publicKey })
  cleanUp(() => pushService.close())
  const device = pushService.subscribe()
  expect(await send(pushService, createRequest(device))).toMatchObject({ status: 201 })
  expect(await send(pushService, createRequest(device, { keys: other }))).toMatchObject({ status: 403 })
})

test('a token that was good expires nevertheless', async ({ pushService, cleanUp }) => {
  const request = createRequest(pushService.subscribe())
  expect(await send(pushService, request)).toMatchObject({ status: 201 })
  cleanUp(() => vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 13 * 3_600_000 })
  expect(await send(pushService, request)).toMatchObject({ status: 403, body: 'The token has expired' })
})

test('a message without body is taken', async ({ pushService }) => {
  const device = pushService.subscribe()
  const { url, method, headers } = createRequest(device, { headers: { 'content-encoding': undefined } })
  headers['content-length'] = 0
  expect(await send(pushService, { url, method, headers, body: Buffer.alloc(0) })).toMatchObject({ status: 201 })
  expect(pushService.received).toMatchObject([{ payload: '' }])
})

test('each name it is addressed by is an origin of its own', async ({ pushService }) => {
  const one = pushService.subscribe({ host: 'one.push.test' })
  const two = pushService.subscribe({ host: 'two.push.test' })
  const byAddress = pushService.subscribe({ host: '127.0.0.1' })
  for (const device of [one, two, byAddress]) {
    expect(await send(pushService, createRequest(device))).toMatchObject({ status: 201 })
  }
  const { authorization } = createRequest(two).headers
  const request = createRequest(one, { headers: { authorization: String(authorization) } })
  expect(await send(pushService, request)).toMatchObject({ status: 403 })
})

test('messages are found by device', async ({ pushService }) => {
  const [one, two] = [pushService.subscribe(), pushService.subscribe()]
  await send(pushService, createRequest(one, { payload: 'first' }))
  await send(pushService, createRequest(two, { payload: 'second' }))
  await send(pushService, createRequest(one, { payload: 'third' }))
  expect(pushService.receivedBy(one).map(({ payload }) => payload)).toEqual(['first', 'third'])
  expect(pushService.receivedBy(pushService.subscribe())).toEqual([])
})

test('random bytes are refused, whatever they are', async ({ pushService }) => {
  const device = pushService.subscribe()
  for (const length of [1, 86, 102, 103, 500, 4096]) {
    const request = createRequest(device)
    replaceBody(request, randomBytes(length))
    expect(await send(pushService, request)).toMatchObject({ status: 400 })
  }
})

test('speaks only the protocols it was made for', async ({ cleanUp }) => {
  const h1Only = await createPushService({ protocols: ['http/1.1'] })
  const h2Only = await createPushService({ protocols: ['h2'] })
  cleanUp(() => Promise.all([h1Only.close(), h2Only.close()]))
  expect(await send(h1Only, createRequest(h1Only.subscribe()))).toMatchObject({ status: 201 })
  expect(await send(h2Only, createRequest(h2Only.subscribe()))).toMatchObject({ status: 403, failure: undefined })
  for (const [service, status] of [
    [h1Only, undefined],
    [h2Only, 201],
  ] as const) {
    const client = createH2Client(service.ca)
    expect(await client.send(createRequest(service.subscribe()))).toMatchObject({ status })
    client.close()
  }
})

test('stopped, it closes what is open and refuses; started, it is as before on the same port', async ({
  pushService,
  cleanUp,
}) => {
  const client = createH2Client(pushService.ca)
  cleanUp(() => client.close())
  const device = pushService.subscribe()
  pushService.answer(device, ['hang', 410])
  const hanging = client.send(createRequest(device))
  await vi.waitFor(() => expect(pushService.attempts).toHaveLength(1))
  await pushService.stop()
  expect(await hanging).toMatchObject({ status: undefined, failure: expect.any(String) })
  expect(pushService.connections).toBe(0)
  expect(await send(pushService, createRequest(device))).toMatchObject({ failure: 'ECONNREFUSED' })
  await pushService.start()
  expect(await send(pushService, createRequest(device))).toMatchObject({ status: 410 })
  expect(await send(pushService, createRequest(device))).toMatchObject({ status: 201 })
})

test('a client that does not trust the certificate is left alone', async ({ pushService }) => {
  const request = createRequest(pushService.subscribe())
  expect(await send({ ca: '' }, request)).toMatchObject({ failure: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  expect(await send(pushService, request)).toMatchObject({ status: 201 })
})
