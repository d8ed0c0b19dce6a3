import { type TestDatabase, type WorkerProcess, waitFor } from '@mono/test-support'
import { type ApnsAnswer, type ApnsService, createApnsKey } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { test } from './support/push-setup.js'

const print = (line: string) => process.stdout.write(`    ${line}\n`)
const hour = 60 * 60 * 1000

const registerUser = async (
  { registerApns }: { registerApns(token: string, registration: object): Promise<string> },
  service: ApnsService,
  count: number,
  registration: object,
) => {
  const ids = []
  for (let index = 0; index < count; index += 1) ids.push(await registerApns(service.register(), registration))
  return ids
}

/** An operator has to look at these, besides the dead letters. */
const errorsOf = ({ logs }: WorkerProcess) =>
  logs.filter(({ level, msg }) => level === 'error' && msg !== 'Dead-lettered')

const untilSent = (database: TestDatabase, messageId: string, count: number) =>
  waitFor(
    async () => {
      const sql = "SELECT FROM push.deliveries WHERE message_id = $1 AND state = 'sent'"
      return (await database.query(sql, [messageId])).length === count
    },
    { what: `${messageId} on ${count} devices`, timeoutMs: 50_000 },
  )

test('a notification arrives in both environments as it was meant, and the ledger has the answer’s id', async ({
  push,
  database,
}) => {
  const { production, sandbox, key } = await push.createApns()
  const token = production.register()
  const id = await push.registerApns(token.toUpperCase(), { userId: 'ada' })
  await push.registerApns(sandbox.register(), { userId: 'ada', environment: 'sandbox' })
  const worker = await push.startWorker()
  const image = 'https://example.com/a.png'
  const data = { unread: 3, ttl: 60, push: { badge: 3, sound: 'ping.caf', threadId: 'lunch', image } }
  await push.send('m1', ['ada'], { title: 'Hello', body: 'Grüße', data }, 'push.mobile')
  await untilSent(database, 'm1', 2)
  await push.send('m2', ['ada'], { data: { push: { silent: true } } }, 'push.mobile')
  await untilSent(database, 'm2', 2)
  await worker.terminate()

  const [shown, silent] = production.received
  expect(shown).toMatchObject({
    token,
    pushType: 'alert',
    priority: 10,
    collapseId: expect.stringMatching(/^[\w-]{43}$/),
    payload: {
      aps: {
        alert: { title: 'Hello', body: 'Grüße' },
        badge: 3,
        sound: 'ping.caf',
        'thread-id': 'lunch',
        'mutable-content': 1,
      },
      unread: 3,
      push: { image },
    },
    providerToken: { header: { kid: key.keyId }, claims: { iss: key.teamId } },
  })
  expect(Number(shown?.expiration)).toBeGreaterThan(Date.now() / 1000 - 60)
  expect(silent).toMatchObject({ pushType: 'background', priority: 5, payload: { aps: { 'content-available': 1 } } })
  expect(sandbox.received.map(({ collapseId }) => collapseId)).toEqual([shown?.collapseId, silent?.collapseId])
  const [row] = await database.query<{ provider_id: string }>(
    "SELECT provider_id FROM push.deliveries WHERE message_id = 'm1' AND device_id = $1",
    [id],
  )
  expect(row?.provider_id).toBe(shown?.apnsId)
  expect([production.opened, sandbox.opened]).toEqual([1, 1])
})

const refusal = (status: number, reason: string): ApnsAnswer => ({ status, reason })

describe('an answer', () => {
  test('that is final: what the ledger says of the device, and whether it is disabled', async ({ push, vhost }) => {
    const { production } = await push.createApns()
    const gone = { timestamp: Date.now() + hour }
    const classes: [string, ApnsAnswer, string | null, string | null][] = [
      ['200', 200, null, null],
      ['Unregistered', { status: 410, reason: 'Unregistered', ...gone }, 'GONE', 'gone'],
      ['ExpiredToken', { status: 410, reason: 'ExpiredToken', ...gone }, 'GONE', 'gone'],
      ['Unregistered at no time', refusal(410, 'Unregistered'), 'GONE', 'gone'],
      ['BadDeviceToken', refusal(400, 'BadDeviceToken'), 'INVALID_TOKEN', 'invalid-token'],
      ['DeviceTokenNotForTopic', refusal(400, 'DeviceTokenNotForTopic'), 'WRONG_SENDER', 'wrong-sender'],
      ['PayloadTooLarge', refusal(413, 'PayloadTooLarge'), 'PAYLOAD_TOO_LARGE', null],
      ...[
        'BadCollapseId',
        'BadExpirationDate',
        'BadMessageId',
        'BadPriority',
        'DuplicateHeaders',
        'InvalidPushType',
        'MissingDeviceToken',
        'PayloadEmpty',
      ].map((reason): [string, ApnsAnswer, string, null] => [reason, refusal(400, reason), 'PROVIDER_REJECTED', null]),
    ]
    const ids = new Map<string, string>()
    for (const [name, answer] of classes) {
      const token = production.register()
      production.answer(token, answer)
      ids.set(name, await push.registerApns(token, { userId: name }))
    }
    const worker = await push.startWorker()
    for (const [name] of classes) await push.send(name, [name])
    for (const [name, answer, last_code, disabled_reason] of classes) {
      const id = ids.get(name) ?? ''
      const reason = typeof answer === 'object' && 'status' in answer ? `HTTP ${answer.status}: ${answer.reason}` : null
      await push.untilDelivery(name, id, { state: reason ? 'failed' : 'sent', last_code, last_reason: reason })
      expect([name, (await push.device(id))?.disabled_reason]).toEqual([name, disabled_reason])
    }
    const failed = classes.filter(([, , code]) => code !== null).map(([name]) => name)
    const dead = await vhost.drainQueue('push.notifications.dlq', failed.length)
    expect(dead.map(({ properties }) => properties.messageId).sort()).toEqual(failed.sort())
    await worker.terminate()
    expect(production.attempts).toHaveLength(classes.length)
    expect(errorsOf(worker)).toEqual([])
  })

  test('that is not, or none: the device waits or is tried again, and is served', async ({ push, database }) => {
    const { production } = await push.createApns()
    const scripts: [string, ApnsAnswer, string][] = [
      ['TooManyRequests', refusal(429, 'TooManyRequests'), 'RATE_LIMITED'],
      ['TooManyRequests for 3 s', { status: 429, reason: 'TooManyRequests', retryAfter: 3 }, 'RATE_LIMITED'],
      ['registered since', { status: 410, reason: 'Unregistered', timestamp: Date.now() - hour }, 'GONE'],
      ['no reason', { status: 400, body: '<html>' }, 'UNKNOWN_ANSWER'],
      // Four failures in a row at most, because a fifth would be Apple's.
      ['IdleTimeout', refusal(400, 'IdleTimeout'), 'PROVIDER_UNAVAILABLE'],
      ['InternalServerError', refusal(500, 'InternalServerError'), 'PROVIDER_UNAVAILABLE'],
      ['Shutdown', refusal(503, 'Shutdown'), 'PROVIDER_UNAVAILABLE'],
      ['reset', { rst: 2 }, 'CONNECTION_LOST'],
      ['unknown reason', refusal(400, 'SomethingNew'), 'UNKNOWN_ANSWER'],
      ['connection lost', 'drop', 'CONNECTION_LOST'],
      ['no answer', 'hang', 'TIMEOUT'],
    ]
    const ids = new Map<string, string>()
    for (const [name, answer] of scripts) {
      const token = production.register()
      production.answer(token, [answer])
      ids.set(name, await push.registerApns(token, { userId: name }))
    }
    const worker = await push.startWorker()
    for (const [name, , last_code] of scripts) {
      await push.send(name, [name])
      await push.untilDelivery(name, ids.get(name) ?? '', { state: 'retry', last_code })
    }
    for (const [name] of scripts) await untilSent(database, name, 1)
    await worker.terminate()
    // Only what was taken and whose answer was lost comes twice, under the same id.
    expect(new Set(production.received.map(({ apnsId }) => apnsId)).size).toBe(scripts.length)
    expect(production.received).toHaveLength(scripts.length + 1)
    const disabled = await database.query('SELECT FROM push.devices WHERE disabled_at IS NOT NULL')
    expect(disabled).toEqual([])
    expect(errorsOf(worker)).toEqual([])
  })

  test.for<[status: number, reason: string, advice: RegExp]>([
    [400, 'BadTopic', /APNS_TOPIC/],
    [400, 'MissingTopic', /APNS_TOPIC/],
    [400, 'TopicDisallowed', /APNS_TOPIC/],
    [403, 'BadEnvironmentKeyIdInToken', /other environment/],
    [403, 'Forbidden', /APNS_KEY/],
    [403, 'MissingProviderToken', /APNS_ORIGIN/],
    [403, 'UnrelatedKeyIdInToken', /APNS_KEY/],
    [404, 'BadPath', /APNS_ORIGIN/],
    [405, 'MethodNotAllowed', /APNS_ORIGIN/],
  ])(
    '%i %s: the devices of that server wait, with one error that says what to do; the others are served',
    async ([status, reason, advice], { push, database }) => {
      const { production, sandbox } = await push.createApns()
      production.answer('all', { status, reason })
      const ids = await registerUser(push, production, 2, { userId: 'ada' })
      const elsewhere = await push.registerApns(sandbox.register(), { userId: 'ada', environment: 'sandbox' })
      const worker = await push.startWorker({ PUSH_CONCURRENCY: '1' })
      await push.send('m1', ['ada'])
      await push.untilDelivery('m1', elsewhere, { state: 'sent' })
      for (const id of ids) await push.untilDelivery('m1', id, { state: 'retry' })
      await worker.terminate()
      const codes = await database.query<{ last_code: string }>(
        'SELECT last_code FROM push.deliveries WHERE device_id = ANY($1) ORDER BY last_code',
        [ids],
      )
      expect(codes.map(({ last_code }) => last_code)).toEqual(['APNS_REJECTED', 'ORIGIN_CLOSED'])
      expect(production.attempts).toHaveLength(1)
      const errors = errorsOf(worker)
      const origin = `https://localhost:${production.port}`
      expect(errors).toMatchObject([{ origin, status, reason, msg: expect.stringMatching(advice) }])
      expect(await database.query('SELECT FROM push.devices WHERE disabled_at IS NOT NULL')).toEqual([])
    },
  )

  test('503 with a time to wait holds for all devices of that server, and then they are served', async ({
    push,
    database,
  }) => {
    const { production } = await push.createApns()
    production.answer('all', [{ status: 503, reason: 'ServiceUnavailable', retryAfter: 2 }])
    await registerUser(push, production, 5, { userId: 'ada' })
    const worker = await push.startWorker({ PUSH_CONCURRENCY: '1' })
    await push.send('m1', ['ada'])
    await waitFor(() => production.attempts.length === 1, { what: 'the first request' })
    await untilSent(database, 'm1', 5)
    await worker.terminate()
    const [refused, next] = production.attempts
    expect(production.attempts).toHaveLength(6)
    expect(Number(next?.at) - Number(refused?.at)).toBeGreaterThanOrEqual(2000)
  })

  test('that nobody gives, because the server is down: its devices wait, the others are served', async ({ push }) => {
    const { production, sandbox } = await push.createApns()
    const waiting = await registerUser(push, production, 2, { userId: 'ada' })
    const [served = ''] = await registerUser(push, sandbox, 1, { userId: 'ada', environment: 'sandbox' })
    await production.stop()
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', served, { state: 'sent' })
    for (const id of waiting) await push.untilDelivery('m1', id, { state: 'retry' })
    await production.start()
    for (const id of waiting) await push.untilDelivery('m1', id, { state: 'sent' })
    await worker.terminate()
    expect(production.received).toHaveLength(2)
  })

  test('TooManyProviderTokenUpdates: a minute later the same token is sent over another connection', {
    timeout: 120_000,
  }, async ({ push, database }) => {
    const { production } = await push.createApns()
    const [first = ''] = await registerUser(push, production, 1, { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await untilSent(database, 'm1', 1)
    production.answer('all', [refusal(429, 'TooManyProviderTokenUpdates')])
    await push.send('m2', ['ada'])
    await push.untilDelivery('m2', first, { state: 'retry', last_code: 'APNS_TOKEN_UPDATES' })
    await waitFor(() => production.received.length === 2, { what: 'the second notification', timeoutMs: 90_000 })
    await untilSent(database, 'm2', 1)
    await worker.terminate()
    const [before, refused, after] = production.attempts
    expect([before?.connection, refused?.connection, after?.connection]).toEqual([1, 1, 2])
    expect(Number(after?.at) - Number(refused?.at)).toBeGreaterThanOrEqual(60_000)
    expect(production.received[1]?.headers.authorization).toBe(production.received[0]?.headers.authorization)
  })
})

describe('a key', () => {
  test('for the other environment only: production waits, the sandbox goes on', async ({ push, database }) => {
    const key = createApnsKey({ environment: 'sandbox' })
    const { production, sandbox } = await push.createApns({ key })
    const [waits = ''] = await registerUser(push, production, 1, { userId: 'ada' })
    await registerUser(push, sandbox, 20, { userId: 'ada', environment: 'sandbox' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await untilSent(database, 'm1', 20)
    await push.untilDelivery('m1', waits, {
      state: 'retry',
      last_code: 'APNS_REJECTED',
      last_reason: 'HTTP 403: BadEnvironmentKeyInToken',
    })
    await worker.terminate()
    expect(errorsOf(worker)).toMatchObject([{ reason: 'BadEnvironmentKeyInToken' }])
  })

  test('that Apple does not know: both servers are left alone, with an error each', async ({ push }) => {
    const { production, sandbox } = await push.createApns({ keys: [createApnsKey()] })
    const ids = [
      ...(await registerUser(push, production, 3, { userId: 'ada' })),
      ...(await registerUser(push, sandbox, 3, { userId: 'ada', environment: 'sandbox' })),
    ]
    const worker = await push.startWorker({ PUSH_CONCURRENCY: '1' })
    await push.send('m1', ['ada'])
    for (const id of ids) await push.untilDelivery('m1', id, { state: 'retry' })
    await worker.terminate()
    expect(errorsOf(worker).map(({ reason }) => reason)).toEqual(['InvalidProviderToken', 'InvalidProviderToken'])
    expect([production.attempts.length, sandbox.attempts.length]).toEqual([1, 1])
  })
})

test('a clock that is ten minutes ahead: one token is signed and no second, and the error names the clock', async ({
  push,
}) => {
  const { production } = await push.createApns({ clockAheadMs: -10 * 60_000 })
  const [id = ''] = await registerUser(push, production, 1, { userId: 'ada' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', id, {
    state: 'retry',
    last_code: 'APNS_REJECTED',
    last_reason: 'HTTP 403: ExpiredProviderToken',
  })
  await worker.terminate()
  expect(production.attempts).toHaveLength(1)
  expect(errorsOf(worker)).toMatchObject([
    { reason: 'ExpiredProviderToken', msg: expect.stringContaining('check the clock') },
  ])
})

test('a notification that is too large for Apple only is served to the browsers', async ({ push, vhost }) => {
  const { production } = await push.createApns()
  production.answer('all', refusal(413, 'PayloadTooLarge'))
  const service = await push.createService()
  const web = await push.register(service.subscribe(), { userId: 'ada' })
  const [apns = ''] = await registerUser(push, production, 1, { userId: 'ada' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', web, { state: 'sent' })
  await push.untilDelivery('m1', apns, { state: 'failed', last_code: 'PAYLOAD_TOO_LARGE' })
  await worker.terminate()
  expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
})

test.for<[string, string]>([
  ['no hex', 'fGh1-2_abc:APA91b'],
  ['too long', 'a'.repeat(401)],
])('an address that is %s is disabled, and nobody is asked', async ([, address], { push }) => {
  const { production } = await push.createApns()
  const id = await push.registerApns(address, { userId: 'ada' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', id, { state: 'failed', last_code: 'INVALID_TOKEN' })
  await worker.terminate()
  expect((await push.device(id))?.disabled_reason).toBe('invalid-token')
  expect(production.attempts).toEqual([])
})

test('a device that is gone and registered anew is alive again', async ({ push, database }) => {
  const { production } = await push.createApns()
  const token = production.register()
  const id = await push.registerApns(token, { userId: 'ada' })
  const worker = await push.startWorker()
  production.answer(token, [{ status: 410, reason: 'Unregistered', timestamp: Date.now() + 1 }])
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', id, { state: 'failed', last_code: 'GONE' })
  await waitFor(async () => (await push.device(id))?.disabled_reason === 'gone', { what: 'the device disabled' })
  const goneAt = Date.now()
  await database.query(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address) VALUES (42, 'ada', 'apns', $1)
     ON CONFLICT (tenant_id, channel, address) DO UPDATE
     SET registered_at = now() + interval '1 second', disabled_at = NULL, disabled_reason = NULL`,
    [token],
  )
  production.answer(token, [{ status: 410, reason: 'Unregistered', timestamp: goneAt }])
  await push.send('m2', ['ada'])
  await push.untilDelivery('m2', id, { state: 'retry', last_code: 'GONE' })
  await push.untilDelivery('m2', id, { state: 'sent' })
  await worker.terminate()
  expect(await push.device(id)).toEqual({ disabled_reason: null })
})

describe('connections', () => {
  test.for<[number, number]>([
    [1, 1],
    [500, 50],
  ])(
    'settings of %i streams: %i are in flight at most, and one until the token is accepted',
    async ([streams, most], { push, database }) => {
      const { production } = await push.createApns({ maxConcurrentStreams: streams })
      production.answer('all', { status: 200, delayMs: 20 })
      await registerUser(push, production, 120, { userId: 'ada' })
      const worker = await push.startWorker({ PUSH_CONCURRENCY: '50' })
      await push.send('m1', ['ada'])
      await untilSent(database, 'm1', 120)
      await worker.terminate()
      const { attempts, received, opened } = production
      expect(Math.max(...attempts.map(({ inFlight }) => inFlight))).toBe(most)
      expect(Number(attempts[1]?.at) - Number(attempts[0]?.at)).toBeGreaterThanOrEqual(20)
      expect([attempts.length, received.length, opened]).toEqual([120, 120, 1])
    },
  )

  test('a refused stream is sent again at once, and no attempt is counted', async ({ push }) => {
    const { production } = await push.createApns()
    const [id = ''] = await registerUser(push, production, 1, { userId: 'ada' })
    production.answer('all', [{ rst: 7 }])
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', id, { state: 'sent', attempts: 1 })
    await worker.terminate()
    expect(production.attempts.map(({ answer }) => answer)).toEqual(['rst', 200])
    expect(new Set(production.attempts.map(({ apnsId }) => apnsId)).size).toBe(1)
  })

  test('a GOAWAY with 200 streams in flight: all are served, and twice only those whose answers were lost', async ({
    push,
    database,
  }) => {
    const { production, sandbox } = await push.createApns()
    await registerUser(push, production, 100, { userId: 'ada' })
    await registerUser(push, sandbox, 100, { userId: 'ada', environment: 'sandbox' })
    await push.registerApns(production.register(), { userId: 'first' })
    await push.registerApns(sandbox.register(), { userId: 'first', environment: 'sandbox' })
    const worker = await push.startWorker({ PUSH_CONCURRENCY: '100' })
    await push.send('m0', ['first'])
    await untilSent(database, 'm0', 2)
    production.goaway({ streams: 100, processed: 60, reason: 'Shutdown' })
    sandbox.goaway({ streams: 100, processed: 40, reason: 'Shutdown', answers: false })
    await push.send('m1', ['ada'])
    await untilSent(database, 'm1', 200)
    await worker.terminate()

    for (const [name, service, lost] of [
      ['answers those below the last stream', production, 0],
      ['loses those answers', sandbox, 40],
    ] as const) {
      const counts = new Map<string, number>()
      for (const { apnsId } of service.received) counts.set(apnsId, (counts.get(apnsId) ?? 0) + 1)
      const twice = [...counts.values()].filter((count) => count === 2).length
      const unprocessed = service.attempts.filter(({ answer }) => answer === 'goaway').length
      print(`${name}: ${counts.size} served, ${twice} of them twice, ${unprocessed} not processed`)
      expect([counts.size, twice, service.received.length]).toEqual([101, lost, 101 + lost])
      expect(unprocessed).toBe(service === production ? 40 : 60)
    }
    const goaways = worker.logs.filter(({ msg }) => msg === 'Apple ends a connection')
    expect(goaways).toMatchObject([{ reason: 'Shutdown' }, { reason: 'Shutdown' }])
  })
})

test('tokens that are all dead are a fault of ours: after twenty no device is disabled', async ({ push, database }) => {
  const { production, sandbox } = await push.createApns()
  // The tokens are of the other environment.
  const ids = await registerUser(push, sandbox, 30, { userId: 'ada', environment: 'production' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  for (const id of ids) await push.untilDelivery('m1', id, { state: 'failed', last_code: 'INVALID_TOKEN' })
  await worker.terminate()
  expect(await database.query('SELECT FROM push.devices WHERE disabled_at IS NOT NULL')).toHaveLength(20)
  expect(errorsOf(worker)).toHaveLength(1)
  expect([production.received, sandbox.attempts]).toEqual([[], []])
})
