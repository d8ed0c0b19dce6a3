import { describe, expect } from 'vitest'
import { type ApnsOutgoing, openApnsClient, signProviderToken } from '../../test/fixtures/apns-client.js'
import { type TestFixtures, test } from '../test.js'
import { waitFor } from '../wait-for.js'
import { type ApnsServiceOptions, createApnsKey, createApnsService } from './index.js'

const key = createApnsKey()
const topic = 'com.example.app'
const now = () => Math.floor(Date.now() / 1000)

async function setUp(cleanUp: TestFixtures['cleanUp'], options: Partial<ApnsServiceOptions> = {}) {
  const service = await createApnsService({ keys: [key], topic, ...options })
  cleanUp(() => service.close())
  const device = service.register()
  const open = async (token = signProviderToken(key)) => {
    const client = await openApnsClient(service, token)
    cleanUp(() => client.close())
    return client
  }
  const send = async (request: Partial<ApnsOutgoing> = {}, token?: string) =>
    (await open(token)).send({ path: `/3/device/${device}`, ...request })
  return { service, device, open, send }
}

const soon = (condition: () => boolean, what: string) => waitFor(condition, { what, timeoutMs: 2000, intervalMs: 5 })

test('takes what is in order, and answers with its id', async ({ cleanUp }) => {
  const { service, device, send } = await setUp(cleanUp)
  const apnsId = '01234567-89ab-5cde-8f01-23456789abcd'
  const expiration = now() + 60
  const headers = {
    'apns-id': apnsId,
    'apns-expiration': String(expiration),
    'apns-priority': '5',
    'apns-collapse-id': 'x'.repeat(64),
  }
  const answer = await send({ headers })
  expect(answer).toMatchObject({ status: 200, reason: undefined, headers: { 'apns-id': apnsId } })
  expect(answer.headers).not.toHaveProperty('apns-unique-id')
  expect(service.received).toMatchObject([
    {
      token: device,
      apnsId,
      topic,
      pushType: 'alert',
      priority: 5,
      expiration,
      collapseId: 'x'.repeat(64),
      payload: { aps: { alert: 'hello' } },
      providerToken: { header: { alg: 'ES256', kid: key.keyId }, claims: { iss: key.teamId } },
      connection: 1,
    },
  ])
  expect(service.attempts).toMatchObject([{ apnsId, answer: 200, reason: undefined, connection: 1, inFlight: 1 }])
})

test('the sandbox has an id of its own besides', async ({ cleanUp }) => {
  const { send } = await setUp(cleanUp, { environment: 'sandbox' })
  expect((await send()).headers).toMatchObject({ 'apns-unique-id': expect.any(String) })
})

test('takes 4096 bytes, and refuses one more', async ({ cleanUp }) => {
  const { service, send } = await setUp(cleanUp)
  const ofSize = (bytes: number) => `{"aps":{"alert":"${'x'.repeat(bytes - 20)}"}}`
  expect(ofSize(4096)).toHaveLength(4096)
  expect(await send({ body: ofSize(4096) })).toMatchObject({ status: 200 })
  expect(await send({ body: ofSize(4097) })).toMatchObject({ status: 413, reason: 'PayloadTooLarge' })
  expect(service.received).toHaveLength(1)
})

/** Each from a request that is in order. */
const refusals: [title: string, request: Partial<ApnsOutgoing>, status: number, reason: string][] = [
  ['to another path', { path: '/push' }, 404, 'BadPath'],
  ['by PUT', { headers: { ':method': 'PUT' } }, 405, 'MethodNotAllowed'],
  ['to no device', { path: '/3/device/' }, 400, 'MissingDeviceToken'],
  ['to an unknown device', { path: `/3/device/${'0'.repeat(64)}` }, 400, 'BadDeviceToken'],
  ['without a provider token', { headers: { authorization: undefined } }, 403, 'MissingProviderToken'],
  ['with an id in capitals', { headers: { 'apns-id': '01234567-89AB-5CDE-8F01-23456789ABCD' } }, 400, 'BadMessageId'],
  ['that expires in 1970', { headers: { 'apns-expiration': '300' } }, 400, 'BadExpirationDate'],
  ['that expires some day', { headers: { 'apns-expiration': 'later' } }, 400, 'BadExpirationDate'],
  ['of priority 7', { headers: { 'apns-priority': '7' } }, 400, 'BadPriority'],
  ['with a collapse id of 65 bytes', { headers: { 'apns-collapse-id': 'x'.repeat(65) } }, 400, 'BadCollapseId'],
  ['with an empty collapse id', { headers: { 'apns-collapse-id': '' } }, 400, 'BadCollapseId'],
  ['without a topic', { headers: { 'apns-topic': undefined } }, 400, 'MissingTopic'],
  ['of another topic', { headers: { 'apns-topic': 'com.example.other' } }, 400, 'TopicDisallowed'],
  ['with a header twice', { headers: { 'x-a': ['1', '2'] } }, 400, 'DuplicateHeaders'],
  ['without a payload', { body: '' }, 400, 'PayloadEmpty'],
  ['that is no JSON', { body: 'hello' }, 400, 'PayloadEmpty'],
  ['without aps', { body: '{}' }, 400, 'PayloadEmpty'],
  ['of no type', { headers: { 'apns-push-type': undefined } }, 400, 'InvalidPushType'],
  ['of an alert that shows nothing', { body: '{"aps":{"content-available":1}}' }, 400, 'InvalidPushType'],
  ['of the background that shows something', background({}, '{"aps":{"alert":"x"}}'), 400, 'InvalidPushType'],
  ['of the background without content', background({}, '{"aps":{}}'), 400, 'InvalidPushType'],
  ['of the background with priority 10', background({ 'apns-priority': '10' }), 400, 'BadPriority'],
]

function background(headers: Record<string, string>, body = '{"aps":{"content-available":1}}') {
  return { headers: { 'apns-push-type': 'background', 'apns-priority': '5', ...headers }, body }
}

test.for(refusals)('refuses a notification %s', async ([, request, status, reason], { cleanUp }) => {
  const { service, send } = await setUp(cleanUp)
  expect(await send(request)).toMatchObject({ status, reason })
  expect(service.received).toEqual([])
  expect(service.attempts).toMatchObject([{ answer: status, reason, details: expect.stringContaining(reason) }])
})

test('takes one of the background that is in order, and one that is not to be kept', async ({ cleanUp }) => {
  const { send } = await setUp(cleanUp)
  expect(await send(background({ 'apns-expiration': '0' }))).toMatchObject({ status: 200 })
})

describe('a provider token', () => {
  const other = createApnsKey()

  test.for<[string, string, number, string]>([
    ['that is none', 'abc', 403, 'InvalidProviderToken'],
    ['of an unknown key', signProviderToken(other), 403, 'InvalidProviderToken'],
    ['signed by another key', signProviderToken(key, { by: other }), 403, 'InvalidProviderToken'],
    ['of another algorithm', signProviderToken(key, { header: { alg: 'none' } }), 403, 'InvalidProviderToken'],
    ['of another team', signProviderToken(key, { claims: { iss: other.teamId } }), 403, 'InvalidProviderToken'],
    ['without a time', signProviderToken(key, { claims: { iat: undefined } }), 403, 'InvalidProviderToken'],
    ['of an hour ago', signProviderToken(key, { claims: { iat: now() - 3601 } }), 403, 'ExpiredProviderToken'],
    ['of the future', signProviderToken(key, { claims: { iat: now() + 60 } }), 403, 'ExpiredProviderToken'],
  ])('%s is refused', async ([, token, status, reason], { cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    expect(await send({}, token)).toMatchObject({ status, reason })
    expect(service.received).toEqual([])
  })

  test('is judged by the clock of the service', async ({ cleanUp }) => {
    const { send } = await setUp(cleanUp, { clockAheadMs: -600_000 })
    expect(await send()).toMatchObject({ status: 403, reason: 'ExpiredProviderToken' })
  })

  test('of a key for the other environment is refused', async ({ cleanUp }) => {
    const sandboxKey = createApnsKey({ environment: 'sandbox' })
    const token = signProviderToken(sandboxKey)
    const production = await setUp(cleanUp, { keys: [sandboxKey] })
    const sandbox = await setUp(cleanUp, { keys: [sandboxKey], environment: 'sandbox' })
    expect(await production.send({}, token)).toMatchObject({ status: 403, reason: 'BadEnvironmentKeyInToken' })
    expect(await sandbox.send({}, token)).toMatchObject({ status: 200 })
  })

  const withToken = (device: string, token: string) => ({
    path: `/3/device/${device}`,
    headers: { authorization: `bearer ${token}` },
  })

  test('may be new on a connection after 20 minutes; sooner it spoils the connection, and no other', async ({
    cleanUp,
  }) => {
    const { device, open } = await setUp(cleanUp)
    const at = (seconds: number) => withToken(device, signProviderToken(key, { claims: { iat: now() - seconds } }))
    const client = await open()
    const [old, later, tooSoon] = [at(3000), at(1700), at(600)]
    expect(await client.send(old)).toMatchObject({ status: 200 })
    expect(await client.send(later)).toMatchObject({ status: 200 })
    expect(await client.send(tooSoon)).toMatchObject({ status: 429, reason: 'TooManyProviderTokenUpdates' })
    expect(await client.send(later)).toMatchObject({ status: 429, reason: 'TooManyProviderTokenUpdates' })
    expect(await (await open()).send(tooSoon)).toMatchObject({ status: 200 })
  })

  test('may be new at any time where that is allowed', async ({ cleanUp }) => {
    const { device, open } = await setUp(cleanUp, { manyTokens: true })
    const client = await open()
    for (const iat of [now() - 2, now() - 1]) {
      expect(await client.send(withToken(device, signProviderToken(key, { claims: { iat } })))).toMatchObject({
        status: 200,
      })
    }
  })

  test('of another key is refused on a connection that began with one', async ({ cleanUp }) => {
    const { device, open } = await setUp(cleanUp, { keys: [key, other] })
    const client = await open()
    expect(await client.send(withToken(device, signProviderToken(key)))).toMatchObject({ status: 200 })
    expect(await client.send(withToken(device, signProviderToken(other)))).toMatchObject({
      status: 403,
      reason: 'UnrelatedKeyIdInToken',
    })
  })
})

describe('a connection', () => {
  test('has one stream until a valid token came, then as many as the settings say', async ({ cleanUp }) => {
    const { service, device, open } = await setUp(cleanUp, { maxConcurrentStreams: 500 })
    const client = await open()
    const path = `/3/device/${device}`
    expect(client.session.remoteSettings.maxConcurrentStreams).toBe(1)
    await client.send({ path, headers: { authorization: 'bearer x' } })
    expect(client.session.remoteSettings.maxConcurrentStreams).toBe(1)
    await client.send({ path })
    await soon(() => client.session.remoteSettings.maxConcurrentStreams === 500, 'the settings')
    service.resize(3)
    await soon(() => client.session.remoteSettings.maxConcurrentStreams === 3, 'the new settings')
    expect(service.opened).toBe(1)
  })

  test('is told by PING that the client is there', async ({ cleanUp }) => {
    const { service, open } = await setUp(cleanUp)
    const client = await open()
    await new Promise((resolve) => client.session.ping(resolve))
    expect(service.pings).toBe(1)
  })

  test('that is stopped is closed, and devices stay', async ({ cleanUp }) => {
    const { service, send, open } = await setUp(cleanUp)
    await open()
    await service.stop()
    expect(service.connections).toBe(0)
    await service.start()
    expect(await send()).toMatchObject({ status: 200 })
  })
})

describe('told to answer', () => {
  test('something else, it takes nothing', async ({ cleanUp }) => {
    const { service, device, send } = await setUp(cleanUp)
    service.answer(device, { status: 410, reason: 'Unregistered', timestamp: 1_700_000_000_123, retryAfter: 3 })
    expect(await send()).toMatchObject({
      status: 410,
      reason: 'Unregistered',
      timestamp: 1_700_000_000_123,
      headers: { 'retry-after': '3' },
    })
    expect(service.received).toEqual([])
  })

  test('late, it has taken the notification by then', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    service.answer('all', { status: 200, delayMs: 300 })
    const since = performance.now()
    const sent = send()
    await soon(() => service.received.length === 1, 'the notification')
    expect(await sent).toMatchObject({ status: 200 })
    expect(performance.now() - since).toBeGreaterThan(290)
  })

  test('never, or by a reset, it takes nothing', async ({ cleanUp }) => {
    const { service, device, open } = await setUp(cleanUp)
    const client = await open()
    service.answer(device, [{ rst: 7 }, 'hang'])
    expect(await client.send({ path: `/3/device/${device}` })).toMatchObject({ status: undefined, rstCode: 7 })
    const hanging = client.send({ path: `/3/device/${device}` })
    await soon(() => service.attempts.length === 2, 'both requests')
    client.close()
    expect(await hanging).toMatchObject({ status: undefined })
    expect(service.received).toEqual([])
    expect(service.attempts.map(({ answer }) => answer)).toEqual(['rst', 'hang'])
  })

  test('by closing the connection, it has taken the notification', async ({ cleanUp }) => {
    const { service, send } = await setUp(cleanUp)
    service.answer('all', ['drop'])
    expect(await send()).toMatchObject({ status: undefined })
    expect(service.received).toHaveLength(1)
  })
})

describe('a GOAWAY', () => {
  test.for([
    [true, [200, 200, undefined, undefined], 3],
    [false, [undefined, undefined, undefined, undefined], 3],
  ] as const)(
    'comes when so many are in flight; the earliest are processed, and answered (%s)',
    async ([answers, statuses, taken], { cleanUp }) => {
      const { service, device, open } = await setUp(cleanUp)
      const client = await open()
      const path = `/3/device/${device}`
      await client.send({ path })
      const goaway = new Promise((resolve) => {
        client.session.once('goaway', (code, last, data) => resolve([code, last, JSON.parse(String(data))]))
      })
      await soon(() => client.session.remoteSettings.maxConcurrentStreams !== 1, 'the settings')
      service.goaway({ streams: 4, processed: 2, reason: 'Shutdown', answers })
      const sent = Promise.all([1, 2, 3, 4].map(() => client.send({ path })))
      // The first stream, 1, was answered: 3, 5, 7 and 9 are these.
      expect(await goaway).toEqual([0, 5, { reason: 'Shutdown' }])
      expect((await sent).map(({ status }) => status)).toEqual(statuses)
      expect(service.received).toHaveLength(taken)
      expect(service.attempts.filter(({ answer }) => answer === 'goaway')).toHaveLength(2)
    },
  )
})
