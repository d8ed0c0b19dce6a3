import { readFile } from 'node:fs/promises'
import { examples } from '@mono/contracts'
import { createMessageQueue } from '@mono/message-queue'
import { test as base, migrate, type PushDevice, printNumbers, type TestDatabase, waitFor } from '@mono/test-support'
import { createFcmError, type FcmAnswer, type FcmService } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { createPushSetup, type PushSetup, test } from './support/push-setup.js'
import { type Registration, registerDevices } from './support/register-device.js'

/** What a far end is told to answer to a device, and what the worker makes of it. */
interface Fate {
  code: string
  disabled: string
  tell(address: string): void
}

/** The devices of a channel that one far end serves. */
interface Group {
  name: string
  count: number
  createDevice(): Partial<Registration> & { address: string }
  fates: readonly Fate[]
}

/** What each address was asked for, and how often. */
async function openGroups(push: PushSetup): Promise<{ groups: Group[]; countAsked(): Record<string, number> }> {
  const web = await push.createService()
  const fcm = await push.createFcm()
  const apns = await push.createApns()
  const subscriptions = new Map<string, PushDevice>()
  const goneAt = Date.now() + 60_000
  const toWeb = (status: number): Fate => ({
    code: 'GONE',
    disabled: 'gone',
    tell: (address) => web.answer(subscriptions.get(address) ?? expect.fail('Expected a subscription'), status),
  })
  const toFcm = (answer: FcmAnswer, code: string, disabled: string): Fate => ({
    code,
    disabled,
    tell: (address) => fcm.answer({ address, addressKind: 'token' }, answer),
  })
  const toApns = (service: typeof apns.production, count: number, environment: 'production' | 'sandbox'): Group => ({
    name: environment,
    count,
    createDevice: () => ({ channel: 'apns', environment, address: service.register() }),
    fates: [
      [410, 'Unregistered', 'GONE', 'gone'] as const,
      [410, 'ExpiredToken', 'GONE', 'gone'] as const,
      [400, 'BadDeviceToken', 'INVALID_TOKEN', 'invalid-token'] as const,
      [400, 'DeviceTokenNotForTopic', 'WRONG_SENDER', 'wrong-sender'] as const,
    ].map(([status, reason, code, disabled]) => ({
      code,
      disabled,
      tell: (address) => service.answer(address, { status, reason, timestamp: goneAt }),
    })),
  })
  const countAsked = () => {
    const addresses = [
      ...web.attempts.map(({ device }) => device?.endpoint),
      ...fcm.attempts.map(({ device }) => device?.address),
      ...[apns.production, apns.sandbox].flatMap(({ attempts }) => attempts.map(({ path }) => path.split('/').at(-1))),
    ]
    const counts: Record<string, number> = {}
    for (const address of addresses) counts[address ?? 'nobody'] = (counts[address ?? 'nobody'] ?? 0) + 1
    return counts
  }
  const groups: Group[] = [
    {
      name: 'web',
      count: 1000,
      createDevice() {
        const device = web.subscribe()
        subscriptions.set(device.endpoint, device)
        return { address: device.endpoint, p256dh: device.p256dh, auth: device.auth }
      },
      fates: [toWeb(404), toWeb(410)],
    },
    {
      name: 'fcm',
      count: 1000,
      createDevice: () => ({ channel: 'fcm', address: fcm.register().address }),
      fates: [
        toFcm(createFcmError(404, { errorCode: 'UNREGISTERED' }), 'GONE', 'gone'),
        toFcm(createFcmError(404, { errorCode: 'NOT_FOUND' }), 'GONE', 'gone'),
        toFcm(createFcmError(403, { errorCode: 'SENDER_ID_MISMATCH' }), 'WRONG_SENDER', 'wrong-sender'),
        toFcm(
          createFcmError(400, { errorCode: 'INVALID_ARGUMENT', field: 'message.token' }),
          'INVALID_TOKEN',
          'invalid-token',
        ),
      ],
    },
    toApns(apns.production, 500, 'production'),
    toApns(apns.sandbox, 500, 'sandbox'),
  ]
  return { groups, countAsked }
}

const readOutcomes = (database: TestDatabase) =>
  database.query<{ address: string; state: string; last_code: string | null; disabled_reason: string | null }>(
    `SELECT address, state, last_code, disabled_reason
     FROM push.devices AS device LEFT JOIN push.deliveries AS delivery ON delivery.device_id = device.id`,
  )

describe('one notification to 3,000 devices of all channels', { timeout: 120_000 }, () => {
  test('reaches each once; of twenty, one is dead by each reason, and disabled for that', async ({
    push,
    database,
    vhost,
  }) => {
    const { groups, countAsked } = await openGroups(push)
    const expected = new Map<string, object>()
    const devices = groups.flatMap(({ count, createDevice, fates }) =>
      Array.from({ length: count }, (_, index) => {
        const device = createDevice()
        const fate = fates[index % 20]
        fate?.tell(device.address)
        const { code, disabled } = fate ?? { code: null, disabled: null }
        expected.set(device.address, { state: fate ? 'failed' : 'sent', last_code: code, disabled_reason: disabled })
        return { ...device, userId: `user-${index}` }
      }),
    )
    await registerDevices(database, devices)
    const worker = await push.startWorker()
    const since = performance.now()
    await push.send('m1', [...new Set(devices.map(({ userId }) => userId))])
    const finished = "SELECT FROM push.deliveries WHERE state IN ('sent', 'failed')"
    await waitFor(async () => (await database.query(finished)).length === devices.length, {
      what: 'the end of all',
      timeoutMs: 90_000,
    })
    const doneMs = Math.round(performance.now() - since)
    await waitFor(async () => (await worker.metric('mono_in_flight')) === 0, { what: 'the end of the message' })
    const outcomes = await readOutcomes(database)
    expect(Object.fromEntries(outcomes.map(({ address, ...outcome }) => [address, outcome]))).toEqual(
      Object.fromEntries(expected),
    )
    const counts = await Promise.all(
      ['web', 'fcm', 'apns'].map(async (channel) => [
        channel,
        await worker.metric('mono_push_outcomes_total', { channel, outcome: 'sent' }),
        await worker.metric('mono_push_outcomes_total', { channel, outcome: 'failed' }),
        await worker.metric('mono_push_devices_disabled_total', { channel }),
      ]),
    )
    printNumbers('3,000 devices', { doneMs, sentFailedDisabled: counts })
    expect(counts).toEqual([
      ['web', 900, 100, 100],
      ['fcm', 800, 200, 200],
      ['apns', 800, 200, 200],
    ])
    expect(countAsked()).toEqual(Object.fromEntries([...expected.keys()].map((address) => [address, 1])))
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  })
})

describe('a channel that stands still', () => {
  test.for([
    ['FCM does not answer', (fcm: FcmService) => fcm.answer('all', 'hang')],
    ['the token endpoint of FCM does not answer', (fcm: FcmService) => fcm.tokenEndpoint.answer('hang')],
  ] as const)('%s: the other channels of the same message do not wait', async ([, hang], { push, database }) => {
    const fcm = await push.createFcm()
    const web = await push.createService()
    const { production } = await push.createApns()
    hang(fcm)
    const phones = Array.from({ length: 300 }, () => ({ channel: 'fcm' as const, address: fcm.register().address }))
    // They come after the phones, in the order of their ids.
    const browsers = Array.from({ length: 300 }, () => {
      const { endpoint, p256dh, auth } = web.subscribe()
      return { address: endpoint, p256dh, auth }
    })
    const iphones = Array.from({ length: 300 }, () => ({ channel: 'apns' as const, address: production.register() }))
    await registerDevices(database, [...phones, ...browsers, ...iphones])
    const worker = await push.startWorker({ SHUTDOWN_GRACE_MS: '500' })
    const since = performance.now()
    await push.send('m1', ['user-1'])
    await waitFor(() => web.received.length === 300 && production.received.length === 300, {
      what: 'the other channels',
      intervalMs: 5,
    })
    const othersMs = Math.round(performance.now() - since)
    printNumbers('others while FCM stands still', { othersMs, askedOfFcm: fcm.attempts.length })
    // Nobody has been told yet that FCM does not answer: that takes ten seconds.
    expect(await worker.metric('mono_push_outcomes_total', { channel: 'fcm', outcome: 'retry' })).toBe(0)
    expect(await worker.metric('mono_push_outcomes_total', { channel: 'fcm', outcome: 'defer' })).toBe(0)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  })
})

describe('a worker that is killed amid 2,000 pushes of FCM and 2,000 of APNs', { timeout: 180_000 }, () => {
  test('leaves them to another: each is served, and twice only what was handed over and not recorded', async ({
    push,
    database,
    vhost,
    cleanUp,
  }) => {
    const count = 2000
    const fcm = await push.createFcm()
    const { production } = await push.createApns()
    // Taken at once and answered late: at any time some are handed over and not recorded.
    fcm.answer('all', { status: 200, delivers: true, delayMs: 50 })
    production.answer('all', { status: 200, delayMs: 50 })
    const userIds = Array.from({ length: count }, (_, index) => `user-${index}`)
    await registerDevices(database, [
      ...userIds.map((userId) => ({ userId, channel: 'fcm' as const, address: fcm.register().address })),
      ...userIds.map((userId) => ({ userId, channel: 'apns' as const, address: production.register() })),
    ])
    // Fewer than there are, so that both have some.
    const start = () => push.startWorker({ PREFETCH: '4' })
    const [victim, survivor] = [await start(), await start()]
    // It says when each was published; without that, the expiration counts from the first delivery to the worker.
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    for (let index = 0; index < count; index += 100) {
      const notification = { ...examples['push.notification'], recipientIds: userIds.slice(index, index + 100) }
      await messageQueue.sendPushNotification(notification, { channel: 'mobile' })
    }
    const countInFlight = (channel: string) => victim.metric('mono_push_in_flight', { channel })
    const isAmid = async () =>
      fcm.received.length >= count / 8 &&
      production.received.length >= count / 8 &&
      (await countInFlight('fcm')) > 0 &&
      (await countInFlight('apns')) > 0
    await waitFor(isAmid, { what: 'the victim to be amid both', timeoutMs: 60_000, intervalMs: 5 })
    victim.kill('SIGKILL')
    await victim.exited
    await waitFor(
      async () => (await database.query("SELECT FROM push.deliveries WHERE state = 'sent'")).length === 2 * count,
      { what: 'all to be served', timeoutMs: 120_000 },
    )
    await waitFor(async () => (await vhost.countMessages('push.notifications')) === 0, { what: 'an empty queue' })
    await survivor.terminate()

    const claimedAnew = await database.query<{ address: string }>(
      `SELECT address FROM push.deliveries JOIN push.devices AS device ON device.id = device_id
       WHERE attempts = 2 AND previous_state = 'sending'`,
    )
    const anew = new Set(claimedAnew.map(({ address }) => address))
    const pushes = [
      ...fcm.received.map(({ device, message }) => ({
        address: device.address,
        sameness: { tag: Object(message.android).notification?.tag },
      })),
      ...production.received.map(({ token, apnsId, collapseId, expiration }) => ({
        address: token,
        sameness: { apnsId, collapseId, expiration },
      })),
    ]
    const byAddress = new Map<string, (typeof pushes)[number][]>()
    for (const one of pushes) byAddress.set(one.address, [...(byAddress.get(one.address) ?? []), one])
    const twice = [...byAddress].filter(([, own]) => own.length > 1)
    printNumbers('push-worker killed amid phones', {
      devices: byAddress.size,
      claimedAnew: anew.size,
      twice: twice.length,
    })
    expect(byAddress.size).toBe(2 * count)
    expect(twice.length).toBeGreaterThan(0)
    for (const [address, [first, ...others]] of twice) {
      expect(anew).toContain(address)
      expect(others.map(({ sameness }) => sameness)).toEqual([first?.sameness])
    }
    expect(await database.query('SELECT FROM push.deliveries WHERE attempts > 1')).toHaveLength(anew.size)
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })
})

describe('devices and a ledger of the first release', () => {
  base(
    'of all three kinds are migrated and served, and what Apple calls dead since then is disabled',
    async ({ vhost, database, workers, cleanUp }) => {
      const push = createPushSetup({ vhost, database, workers, cleanUp })
      const web = await push.createService()
      const fcm = await push.createFcm()
      const { production } = await push.createApns()
      const { endpoint, p256dh, auth } = web.subscribe()
      const dead = production.register()
      production.answer(dead, { status: 410, reason: 'Unregistered', timestamp: Date.now() + 60_000 })
      await database.query(await readFile(new URL('upgrade/database.sql', import.meta.url), 'utf8'))
      const inserted = await database.query<{ id: string }>(
        `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth)
       VALUES (42, 'ada', 'web', $1, $2, $3), (42, 'ada', 'fcm', $4, NULL, NULL), (42, 'ada', 'apns', $5, NULL, NULL),
         (42, 'ada', 'apns', $6, NULL, NULL)
       RETURNING id`,
        [endpoint, p256dh, auth, fcm.register().address, production.register(), dead],
      )
      const [webId = '', fcmId = '', apnsId = '', deadId = ''] = inserted.map(({ id }) => id)
      await database.query(
        `INSERT INTO push.deliveries (tenant_id, message_id, device_id, state, attempts, last_code)
       VALUES (42, 'old', $1, 'sent', 1, NULL), (42, 'old', $2, 'failed', 1, 'CHANNEL_OFF'), (42, 'old', $3, 'failed', 1, 'CHANNEL_OFF')`,
        [webId, fcmId, apnsId],
      )
      await migrate('push-worker', database.url)
      const worker = await push.startWorker()
      for (const id of ['old', 'new']) await push.send(id, ['ada'])
      for (const id of [webId, fcmId, apnsId]) await push.untilDelivery('new', id, { state: 'sent' })
      await push.untilDelivery('old', deadId, { state: 'failed', last_code: 'GONE' })
      expect(await push.device(deadId)).toEqual({ disabled_reason: 'gone' })
      // What was finished stays so.
      await push.untilDelivery('old', webId, { state: 'sent', attempts: 1 })
      await push.untilDelivery('old', fcmId, { state: 'failed', last_code: 'CHANNEL_OFF', attempts: 1 })
      expect([web.received.length, fcm.received.length, production.received.length]).toEqual([1, 1, 1])
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    },
  )
})
