import { type WorkerProcess, waitFor } from '@mono/test-support'
import { createFcmError, type FcmAnswer, type FcmDevice, type FcmService } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { type PushSetup, test } from './support/push-setup.js'

/** Every dead letter is an error line too. */
const errorsOf = ({ logs }: WorkerProcess) =>
  logs.filter(({ level, msg }) => level === 'error' && msg !== 'Dead-lettered')

const denied = createFcmError(403, { message: 'No permission.' })

/** The messages of a device, in order. */
const receivedBy = (fcm: FcmService, { address }: FcmDevice) =>
  fcm.received.filter(({ device }) => device.address === address)

const attemptsFor = (fcm: FcmService, { address }: FcmDevice) =>
  fcm.attempts.filter(({ device }) => device?.address === address)

/** A user for each name, with one device of FCM. */
async function registerEach(push: PushSetup, fcm: FcmService, names: readonly string[]) {
  const devices = names.map(() => fcm.register())
  const ids = []
  for (const [index, device] of devices.entries()) ids.push(await push.register(device, { userId: names[index] ?? '' }))
  return { devices, ids }
}

const page = (title: string) => `<!DOCTYPE html><html><title>${title}</title></html>`

describe('an answer', () => {
  test('that is final: what the ledger says of the device, and whether it is disabled', async ({ push, vhost }) => {
    const fcm = await push.createFcm()
    const invalid = 'The registration token is not a valid FCM registration token'
    const argument = { errorCode: 'INVALID_ARGUMENT' }
    const third = createFcmError(401, { errorCode: 'THIRD_PARTY_AUTH_ERROR' })
    const rows: [string, FcmAnswer | undefined, string, string | null, string | null][] = [
      ['taken', undefined, 'sent', null, null],
      ['UNREGISTERED', createFcmError(404, { errorCode: 'UNREGISTERED' }), 'failed', 'GONE', 'gone'],
      ['NOT_FOUND', createFcmError(404, { errorCode: 'NOT_FOUND' }), 'failed', 'GONE', 'gone'],
      ['sender', createFcmError(403, { errorCode: 'SENDER_ID_MISMATCH' }), 'failed', 'WRONG_SENDER', 'wrong-sender'],
      [
        'token',
        createFcmError(400, { ...argument, field: 'message.token' }),
        'failed',
        'INVALID_TOKEN',
        'invalid-token',
      ],
      ['fid', createFcmError(400, { ...argument, field: 'message.fid' }), 'failed', 'INVALID_TOKEN', 'invalid-token'],
      ['words', createFcmError(400, { ...argument, message: invalid }), 'failed', 'INVALID_TOKEN', 'invalid-token'],
      ['argument', createFcmError(400, argument), 'failed', 'PROVIDER_REJECTED', null],
      ['field', createFcmError(400, { field: 'message.data[0].value' }), 'failed', 'PROVIDER_REJECTED', null],
      ['413', 413, 'failed', 'PAYLOAD_TOO_LARGE', null],
      ['third party', third, 'failed', 'THIRD_PARTY_AUTH', null],
      ['APNs', createFcmError(403, { errorCode: 'APNS_AUTH_ERROR' }), 'failed', 'THIRD_PARTY_AUTH', null],
    ]
    const names = rows.map(([name]) => name)
    const { devices, ids } = await registerEach(push, fcm, names)
    for (const [index, [, answer]] of rows.entries()) if (answer) fcm.answer(devices[index] as FcmDevice, answer)
    const worker = await push.startWorker()
    for (const name of names) await push.send(name, [name])
    for (const [index, [name, , state, last_code, disabled_reason]] of rows.entries()) {
      const id = ids[index] ?? ''
      await push.untilDelivery(name, id, { state, last_code })
      await waitFor(async () => (await push.device(id))?.disabled_reason === disabled_reason, {
        what: `${name} disabled`,
      })
    }
    const [, gone] = ids
    const reason = 'HTTP 404: It failed with 404.'
    await push.untilDelivery('UNREGISTERED', gone ?? '', { last_reason: reason, provider_id: null })
    await push.untilDelivery('taken', ids[0] ?? '', { provider_id: 'projects/test-project/messages/1' })
    const dead = await vhost.drainQueue('push.notifications.dlq', rows.length - 1)
    expect(dead.map(({ properties }) => properties.messageId).sort()).toEqual(names.slice(1).sort())
    // The next message does not try those that are disabled.
    await push.send('next', ['taken', 'UNREGISTERED', 'sender', 'words'])
    await push.untilDelivery('next', ids[0] ?? '', { state: 'sent' })
    await worker.terminate()
    expect(fcm.attempts).toHaveLength(rows.length + 1)
    expect(fcm.tokenEndpoint.attempts).toHaveLength(1)
    expect(errorsOf(worker)).toMatchObject([{ code: 'THIRD_PARTY_AUTH' }])
  })

  test('of the real kind, for tokens that nobody has, and an address that is none', async ({ push }) => {
    const fcm = await push.createFcm()
    const removed = fcm.register()
    const fid = fcm.register({ addressKind: 'fid' })
    const ids = {
      removed: await push.register(removed, { userId: 'removed' }),
      none: await push.register({ address: 'no token', addressKind: 'token' }, { userId: 'none' }),
      fid: await push.register(fid, { userId: 'fid' }),
    }
    fcm.unregister(removed)
    const worker = await push.startWorker()
    await push.send('m1', ['removed', 'none', 'fid'], {}, 'push.mobile')
    await push.untilDelivery('m1', ids.removed, { state: 'failed', last_code: 'GONE' })
    await push.untilDelivery('m1', ids.none, { state: 'failed', last_code: 'INVALID_TOKEN' })
    await push.untilDelivery('m1', ids.fid, { state: 'sent' })
    expect((await push.device(ids.none))?.disabled_reason).toBe('invalid-token')
    await worker.terminate()
    expect(fcm.attempts.map(({ answer }) => answer).sort()).toEqual([200, 404])
    expect(fcm.received).toMatchObject([{ device: fid, message: { fid: fid.address } }])
  })

  test('that is not: the device waits, and is served when its message comes back', async ({ push }) => {
    const fcm = await push.createFcm()
    const rows: [string, FcmAnswer, string, string | null][] = [
      ['500', createFcmError(500, { errorCode: 'INTERNAL' }), 'PROVIDER_UNAVAILABLE', 'HTTP 500: It failed with 500.'],
      [
        '502',
        { status: 502, body: page('Error 502 (Server Error)') },
        'PROVIDER_UNAVAILABLE',
        'HTTP 502: Error 502 (Server Error)',
      ],
      [
        '503',
        createFcmError(503, { errorCode: 'UNAVAILABLE' }),
        'PROVIDER_UNAVAILABLE',
        'HTTP 503: It failed with 503.',
      ],
      [
        '404',
        { status: 404, body: page('Error 404 (Not Found)') },
        'PROVIDER_UNAVAILABLE',
        'HTTP 404: Error 404 (Not Found)',
      ],
      ['200', { status: 200, body: page('Sign in') }, 'UNEXPECTED_ANSWER', 'HTTP 200: Sign in'],
      ['reset', 'reset', 'CONNECTION_LOST', null],
      ['device quota', deviceQuota, 'RATE_LIMITED', 'HTTP 429: It failed with 429.'],
    ]
    const { devices, ids } = await registerEach(push, fcm, [...rows.map(([name]) => name), 'other'])
    for (const [index, [, answer]] of rows.entries()) fcm.answer(devices[index] as FcmDevice, [answer])
    const worker = await push.startWorker()
    for (const [index, [name, , last_code, last_reason]] of rows.entries()) {
      await push.send(name, [name])
      await push.untilDelivery(name, ids[index] ?? '', { state: 'retry', last_code, last_reason })
      // The others are served meanwhile.
      await push.send(`beside ${name}`, ['other'])
      await push.untilDelivery(`beside ${name}`, ids.at(-1) ?? '', { state: 'sent' })
    }
    for (const [index, [name]] of rows.entries()) await push.untilDelivery(name, ids[index] ?? '', { state: 'sent' })
    expect(await push.device(ids[3] ?? '')).toEqual({ disabled_reason: null })
    await worker.terminate()
    expect(errorsOf(worker)).toEqual([])
    const served = rows.map(([name], index) => [name, receivedBy(fcm, devices[index] as FcmDevice).length])
    // The far end has delivered what it answered with 200 and no name, so that comes twice, with one tag.
    expect(served).toEqual(rows.map(([name]) => [name, name === '200' ? 2 : 1]))
  })

  const deviceQuota = createFcmError(429, {
    errorCode: 'QUOTA_EXCEEDED',
    quota: { subject: 'device', description: 'Device message rate exceeded.' },
    retryAfter: 3,
  })
})

describe('all devices wait, and only for as long as they have to,', () => {
  test('when the quota of the project is used up', async ({ push }) => {
    const fcm = await push.createFcm()
    const { devices, ids } = await registerEach(push, fcm, ['ada', 'bob'])
    const [ada, bob] = ids as [string, string]
    fcm.answer(devices[0] as FcmDevice, [createFcmError(429, { errorCode: 'QUOTA_EXCEEDED', retryAfter: 5 })])
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', ada, { state: 'retry', last_code: 'RATE_LIMITED' })
    await push.send('m2', ['bob'])
    await push.untilDelivery('m2', bob, { state: 'retry', last_code: 'ORIGIN_CLOSED' })
    expect(fcm.attempts).toHaveLength(1)
    await push.untilDelivery('m1', ada, { state: 'sent' })
    await push.untilDelivery('m2', bob, { state: 'sent' })
    await worker.terminate()
    expect(fcm.attempts).toHaveLength(3)
    expect(errorsOf(worker)).toEqual([])
  })

  test('when FCM is busy and says for how long; what it has delivered comes again, once, in the same place', async ({
    push,
  }) => {
    const fcm = await push.createFcm()
    const { devices, ids } = await registerEach(push, fcm, ['ada', 'bob'])
    const [ada, bob] = ids as [string, string]
    const busy = createFcmError(503, { errorCode: 'UNAVAILABLE', retryAfter: 5 })
    fcm.answer(devices[0] as FcmDevice, [{ ...busy, delivers: true }])
    const worker = await push.startWorker()
    await push.send('m1', ['ada'], { data: { topic: 'news' } })
    await push.untilDelivery('m1', ada, { state: 'retry', last_code: 'PROVIDER_UNAVAILABLE' })
    await push.send('m2', ['bob'])
    await push.untilDelivery('m2', bob, { state: 'retry', last_code: 'ORIGIN_CLOSED' })
    await push.untilDelivery('m1', ada, { state: 'sent' })
    await push.untilDelivery('m2', bob, { state: 'sent' })
    await worker.terminate()
    const [first, second, ...more] = receivedBy(fcm, devices[0] as FcmDevice)
    expect(more).toEqual([])
    expect(second?.message).toEqual(first?.message)
    expect(first?.message.android).toMatchObject({ collapse_key: 'news', notification: { tag: 'news' } })
  })

  const rows: [string, FcmAnswer, number, string][] = [
    ['the project has no rights', denied, 1, 'HTTP 403: No permission.'],
    ['there is no such project', createFcmError(404, { message: 'Not found.' }), 1, 'HTTP 404: Not found.'],
    ['a new access token is refused too', createFcmError(401, { message: 'No.' }), 2, 'HTTP 401: No.'],
  ]
  test.for(rows)('when %s; browsers are served', async ([, answer, requests, last_reason], { push }) => {
    const fcm = await push.createFcm()
    const service = await push.createService()
    fcm.answer('all', answer)
    const { ids } = await registerEach(push, fcm, ['ada', 'bob'])
    const [ada, bob] = ids as [string, string]
    const browser = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', browser, { state: 'sent' })
    await push.untilDelivery('m1', ada, { state: 'retry', last_code: 'FCM_REJECTED', last_reason })
    await push.send('m2', ['bob'])
    await push.untilDelivery('m2', bob, { state: 'retry', last_code: 'ORIGIN_CLOSED' })
    expect([await push.device(ada), await push.device(bob)]).toEqual(Array(2).fill({ disabled_reason: null }))
    await worker.terminate()
    expect(fcm.attempts).toHaveLength(requests)
    expect(errorsOf(worker)).toMatchObject([{ code: 'FCM_REJECTED', reason: last_reason }])
  })
})

describe('at the start FCM is asked once whether it takes messages', () => {
  const linesOf = (worker: WorkerProcess, msg: RegExp) => worker.logs.filter((line) => msg.test(String(line.msg)))

  test('it does: that is in the log, and in nothing else', async ({ push }) => {
    const fcm = await push.createFcm()
    const worker = await push.startWorker()
    await waitFor(() => linesOf(worker, /^FCM takes messages/).length > 0, { what: 'the line' })
    expect(linesOf(worker, /^FCM /)).toMatchObject([{ level: 'info', projectId: 'test-project' }])
    const sent = await worker.metric('mono_push_outcomes_total', { channel: 'fcm', outcome: 'sent' })
    expect([sent, fcm.received, fcm.attempts]).toEqual([0, [], []])
    await worker.terminate()
    expect([fcm.probes.length, fcm.tokenEndpoint.attempts.length]).toEqual([1, 1])
    expect(errorsOf(worker)).toEqual([])
  })

  const otherProject = (fcm: FcmService) => {
    const account = { ...fcm.tokenEndpoint.serviceAccount, project_id: 'other-project' }
    return { FCM_SERVICE_ACCOUNT: JSON.stringify(account) }
  }
  const refusals: [string, FcmAnswer, (fcm: FcmService) => Record<string, string>, string][] = [
    ['the project has no rights', denied, () => ({}), 'HTTP 403: No permission.'],
    ['there is no such project', createFcmError(404, { message: 'Not found.' }), () => ({}), 'HTTP 404: Not found.'],
    [
      'the service account is of another project',
      200,
      otherProject,
      "HTTP 403: Permission 'cloudmessaging.messages.create' denied on resource",
    ],
  ]
  test.for(refusals)(
    '%s: one error line, and no phone waits for it',
    async ([, answer, createEnv, reason], { push }) => {
      const fcm = await push.createFcm()
      fcm.answer('probes', answer)
      const { ids } = await registerEach(push, fcm, ['ada'])
      const worker = await push.startWorker(createEnv(fcm))
      await waitFor(() => errorsOf(worker).length > 0, { what: 'the error line' })
      expect(errorsOf(worker)).toMatchObject([{ code: 'FCM_REJECTED', reason }])
      expect(fcm.attempts).toEqual([])
      await push.send('m1', ['ada'])
      await waitFor(() => fcm.attempts.length === 1, { what: 'the first notification' })
      const state = createEnv === otherProject ? 'retry' : 'sent'
      await push.untilDelivery('m1', ids[0] ?? '', { state })
      await worker.terminate()
      expect([fcm.probes.length, errorsOf(worker).length]).toEqual([1, 1])
    },
  )

  test('it is away: phones are served once it is there', async ({ push }) => {
    const fcm = await push.createFcm()
    const { ids } = await registerEach(push, fcm, ['ada'])
    await fcm.stop()
    const worker = await push.startWorker()
    const isSaid = () => linesOf(worker, /gives out no access token/).length > 0
    await waitFor(isSaid, { what: 'the line of the token endpoint' })
    await fcm.start()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', ids[0] ?? '', { state: 'sent' })
    await worker.terminate()
    expect([fcm.probes, errorsOf(worker)]).toEqual([[], []])
  })

  test('it does not answer: nothing waits for that', async ({ push }) => {
    const fcm = await push.createFcm()
    const { ids } = await registerEach(push, fcm, ['ada'])
    fcm.answer('probes', 'hang')
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', ids[0] ?? '', { state: 'sent' })
    // Its time is not up.
    expect(linesOf(worker, /^FCM /)).toEqual([])
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(fcm.probes.map(({ answer }) => answer)).toEqual(['hang'])
  })
})

describe('the token endpoint', () => {
  test('is busy: browsers are served at once, and phones when it is back', async ({ push }) => {
    const fcm = await push.createFcm()
    const service = await push.createService()
    fcm.tokenEndpoint.answer({ status: 503, body: '{"error":"busy"}' })
    const { ids } = await registerEach(push, fcm, ['ada'])
    const [phone] = ids as [string]
    const browser = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', browser, { state: 'sent' })
    const last_reason = 'HTTP 503: busy'
    await push.untilDelivery('m1', phone, { state: 'retry', last_code: 'ACCESS_TOKEN_UNAVAILABLE', last_reason })
    fcm.tokenEndpoint.answer(200)
    await push.untilDelivery('m1', phone, { state: 'sent' })
    await worker.terminate()
    expect(fcm.attempts).toHaveLength(1)
    expect(errorsOf(worker)).toEqual([])
    expect(service.received).toHaveLength(1)
  })

  test('hangs: browsers are not held up by any number of phones', async ({ push }) => {
    const fcm = await push.createFcm()
    const service = await push.createService()
    fcm.tokenEndpoint.answer('hang')
    const names = Array.from({ length: 120 }, (_, index) => `user-${index}`)
    const { ids } = await registerEach(push, fcm, names)
    const browser = await push.register(service.subscribe(), { userId: 'other' })
    const worker = await push.startWorker()
    await push.send('m1', names)
    await waitFor(() => fcm.tokenEndpoint.attempts.length === 1, { what: 'the request for a token' })
    for (let index = 0; index < 5; index += 1) {
      await push.send(`other-${index}`, ['other', 'user-0'])
      await push.untilDelivery(`other-${index}`, browser, { state: 'sent' })
    }
    // Nobody has been told yet that there is no token: that takes ten seconds.
    for (const outcome of ['retry', 'defer']) {
      expect(await worker.metric('mono_push_outcomes_total', { channel: 'fcm', outcome })).toBe(0)
    }
    const last_reason = 'The answer did not come in time'
    const last_code = 'ACCESS_TOKEN_UNAVAILABLE'
    await push.untilDelivery('m1', ids[0] ?? '', { state: 'retry', last_code, last_reason })
    // From then on one at a time asks for a token.
    await push.untilDelivery('m1', ids.at(-1) ?? '', { state: 'retry', last_code: 'ORIGIN_CLOSED' })
    await worker.terminate()
    expect(fcm.attempts).toEqual([])
  })

  test('has another time than we: all phones wait, with one error line in its words', async ({ push }) => {
    const fcm = await push.createFcm()
    const service = await push.createService()
    fcm.tokenEndpoint.shiftClock(600_000)
    const { ids } = await registerEach(push, fcm, ['ada', 'bob'])
    const [ada, bob] = ids as [string, string]
    const browser = await push.register(service.subscribe(), { userId: 'bob' })
    const worker = await push.startWorker()
    const waits = {
      state: 'retry',
      last_code: 'ACCESS_TOKEN_REFUSED',
      last_reason:
        'HTTP 400: Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    }
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', ada, waits)
    await push.send('m2', ['bob'])
    await push.untilDelivery('m2', bob, { state: 'retry', last_code: 'ORIGIN_CLOSED' })
    await push.untilDelivery('m2', browser, { state: 'sent' })
    await worker.terminate()
    expect(fcm.tokenEndpoint.attempts).toHaveLength(1)
    expect(fcm.attempts).toEqual([])
    expect(errorsOf(worker)).toMatchObject([{ reason: waits.last_reason }])
  })
})

describe('an access token', () => {
  test('is revoked amid a run: it is renewed once, and nobody waits', async ({ push }) => {
    const fcm = await push.createFcm()
    const names = Array.from({ length: 30 }, (_, index) => `user-${index}`)
    const { ids } = await registerEach(push, fcm, names)
    const worker = await push.startWorker()
    await push.send('m1', ['user-0'])
    await push.untilDelivery('m1', ids[0] ?? '', { state: 'sent' })
    fcm.tokenEndpoint.revokeAll()
    await push.send('m2', names)
    for (const id of ids) await push.untilDelivery('m2', id, { state: 'sent', attempts: 1 })
    await worker.terminate()
    expect(fcm.tokenEndpoint.attempts).toHaveLength(2)
    expect(fcm.attempts.filter(({ answer }) => answer === 401).length).toBeGreaterThan(0)
    expect(fcm.received).toHaveLength(31)
    expect(errorsOf(worker)).toEqual([])
  })

  test('ends amid a run: there is another one by then', async ({ push }) => {
    const fcm = await push.createFcm()
    fcm.tokenEndpoint.setLifetime(2)
    const { ids } = await registerEach(push, fcm, ['ada'])
    const worker = await push.startWorker()
    let count = 0
    while (fcm.tokenEndpoint.attempts.length < 4) {
      count += 1
      await push.send(`m${count}`, ['ada'])
      await push.untilDelivery(`m${count}`, ids[0] ?? '', { state: 'sent', attempts: 1 })
    }
    await worker.terminate()
    expect(fcm.attempts.map(({ answer }) => answer)).toEqual(Array(count).fill(200))
  })
})

test('a notification of the largest size, with all that phones have, is taken as it is meant', async ({ push }) => {
  const fcm = await push.createFcm()
  const { devices, ids } = await registerEach(push, fcm, ['ada'])
  const extras = { badge: 3, sound: 'ping', image: `https://example.com/${'x'.repeat(1_000)}`, androidChannel: 'chat' }
  const data = { ttl: 120, urgency: 'high', push: extras, unread: 3, nested: { a: [1, 'ü'] }, from: 'ada' }
  const notification = { title: 'Hello', body: '', data }
  const rest = Buffer.byteLength(JSON.stringify(notification))
  const body = 'x'.repeat(3_500 - rest)
  const worker = await push.startWorker()
  const messageId = 'm'.repeat(128)
  await push.send(messageId, ['ada'], { ...notification, body })
  await push.untilDelivery(messageId, ids[0] ?? '', { state: 'sent' })
  await worker.terminate()
  expect(receivedBy(fcm, devices[0] as FcmDevice).map(({ message }) => message)).toEqual([
    {
      token: devices[0]?.address,
      notification: { title: 'Hello', body, image: extras.image },
      data: { ttl: '120', urgency: 'high', unread: '3', nested: '{"a":[1,"ü"]}' },
      android: {
        priority: 'HIGH',
        ttl: '120s',
        notification: { tag: messageId, channel_id: 'chat', sound: 'ping', notification_count: 3 },
      },
    },
  ])
  expect(attemptsFor(fcm, devices[0] as FcmDevice)).toHaveLength(1)
})

test('without a service account the channel is off', async ({ push }) => {
  const id = await push.register({ address: 'abc:def', addressKind: 'token' }, { userId: 'ada' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', id, { state: 'failed', last_code: 'CHANNEL_OFF' })
  await worker.terminate()
})
