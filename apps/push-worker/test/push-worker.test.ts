import { randomBytes } from 'node:crypto'
import { waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { test } from './support/push-setup.js'

describe('push-worker', () => {
  test('sends what is published to the devices of the recipients, encrypted, and stops on SIGTERM', async ({
    push,
    vhost,
  }) => {
    const service = await push.createService()
    const devices = [service.subscribe(), service.subscribe(), service.subscribe()] as const
    await push.register(devices[0], { userId: 'ada' })
    await push.register(devices[1], { userId: 'ada' })
    const id = await push.register(devices[2], { userId: 'bob' })
    const worker = await push.startWorker()
    const data = { ttl: 60, urgency: 'high', topic: 'room-7', unread: 3 }
    await push.send('m1', ['ada', 'bob', 'nobody'], { title: 'Hello', body: 'World', data })
    await push.untilDelivery('m1', id, { state: 'sent' })
    await waitFor(() => service.received.length === 3, { what: 'three pushes' })
    for (const device of devices) {
      const [message, ...others] = service.receivedBy(device)
      expect(others).toEqual([])
      expect(message).toMatchObject({ ttl: 60, urgency: 'high', topic: 'room-7' })
      expect(JSON.parse(message?.payload ?? '')).toEqual({ title: 'Hello', body: 'World', data, tag: 'm1' })
    }
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(service.connections).toBe(0)
    expect(await vhost.countMessages('push.notifications')).toBe(0)
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
    expect(worker.stderr).toBe('')
    const unknown = worker.logs.find(({ usersWithout }) => usersWithout !== undefined)
    expect(unknown).toMatchObject({ usersWithout: 1, messageId: 'm1' })
    // Nobody's address or words are in the log.
    expect(JSON.stringify(worker.logs)).not.toMatch(/Hello|World|\/push\//)
  })

  test('sends a message that comes again to nobody who has it', async ({ push, vhost }) => {
    const service = await push.createService()
    const first = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', first, { state: 'sent' })
    const second = await push.register(service.subscribe(), { userId: 'bob' })
    await push.send('m1', ['ada', 'bob'])
    await push.untilDelivery('m1', second, { state: 'sent' })
    await push.send('m1', ['ada', 'bob'])
    await push.send('m2', ['ada'])
    await push.untilDelivery('m2', first, { state: 'sent' })
    await worker.terminate()
    expect(service.attempts).toHaveLength(3)
    expect(await vhost.countMessages('push.notifications')).toBe(0)
  })

  test('shares a message’s devices and all messages between replicas, each sent once', async ({ push }) => {
    const service = await push.createService()
    for (let user = 0; user < 20; user += 1) await push.register(service.subscribe(), { userId: `user-${user}` })
    const workers = await Promise.all([push.startWorker(), push.startWorker()])
    const users = Array.from({ length: 20 }, (_, user) => `user-${user}`)
    // Each message twice, as a publisher does that does not know whether the first one arrived.
    await Promise.all(
      Array.from({ length: 20 }, (_, message) => [1, 2].map(() => push.send(`m${message}`, users))).flat(),
    )
    await waitFor(() => service.received.length >= 400, { what: '400 pushes', timeoutMs: 30_000 })
    await Promise.all(workers.map((worker) => worker.terminate()))
    expect(service.attempts).toHaveLength(400)
  })

  test('takes web devices for push.web, others for push.mobile, all for push.all', async ({ push, vhost }) => {
    const service = await push.createService()
    const web = await push.register(service.subscribe(), { userId: 'ada' })
    const fcm = await push.register({ endpoint: 'token', p256dh: '', auth: '' }, { userId: 'ada', channel: 'fcm' })
    const worker = await push.startWorker()
    await push.send('web', ['ada'], {}, 'push.web')
    await push.send('all', ['ada'], {}, 'push.all')
    await push.send('mobile', ['ada'], {}, 'push.mobile')
    const [dead] = await vhost.drainQueue('push.notifications.dlq', 1)
    expect([dead?.properties.messageId, dead?.headers['x-failure-code']]).toEqual(['mobile', 'ALL_RECIPIENTS_FAILED'])
    await push.untilDelivery('web', web, { state: 'sent' })
    await push.untilDelivery('all', web, { state: 'sent' })
    await push.untilDelivery('all', fcm, { state: 'failed', last_code: 'CHANNEL_OFF' })
    await push.untilDelivery('mobile', fcm, { state: 'failed', last_code: 'CHANNEL_OFF' })
    expect(await push.delivery('web', fcm)).toBeUndefined()
    expect(await push.delivery('mobile', web)).toBeUndefined()
    expect(await push.device(fcm)).toEqual({ disabled_reason: null })
    await worker.terminate()
  })

  test('gives a delivery in flight back when the time to stop is over', async ({ push, vhost }) => {
    const service = await push.createService()
    service.answer('all', 'hang')
    const id = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker({ SHUTDOWN_GRACE_MS: '500' })
    await push.send('m1', ['ada'])
    await waitFor(() => service.attempts.length === 1, { what: 'the request' })
    const begun = Date.now()
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(Date.now() - begun).toBeLessThan(5000)
    expect(await push.delivery('m1', id)).toMatchObject({ state: 'retry' })
    await waitFor(async () => (await vhost.countMessages('push.notifications')) === 1, {
      what: 'the message to be back',
    })
  })

  test('starts with a fault list instead of half an environment', async ({ workers }) => {
    const worker = workers.spawn('push-worker', { VAPID_PUBLIC_KEY: 'none', PUSH_ENDPOINT_ALLOW: 'localhost' })
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    for (const name of ['RABBITMQ_URL', 'DATABASE_URL', 'VAPID_SUBJECT', 'VAPID_PUBLIC_KEY', 'PUSH_ENDPOINT_ALLOW']) {
      expect(worker.stderr).toContain(`${name}: expected`)
    }
  })
})

describe('recipients who cannot be served', () => {
  test('recipients that nobody knows are counted, and the message is done', async ({ push, vhost }) => {
    const worker = await push.startWorker()
    await push.send('m1', ['nobody', 'noone', 'nobody'])
    await waitFor(() => worker.logs.some(({ usersWithout }) => usersWithout === 2), { what: 'the count' })
    await worker.terminate()
    expect(await vhost.countMessages('push.notifications')).toBe(0)
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })

  test.for([
    ['p256dh', { p256dh: randomBytes(65).toString('base64url') }],
    ['p256dh that is missing', { p256dh: null }],
    ['auth', { auth: 'short' }],
  ] as const)('a device with a bad %s is disabled, and the others are served', async ([, keys], { push }) => {
    const service = await push.createService()
    const good = await push.register(service.subscribe(), { userId: 'ada' })
    const bad = await push.register(service.subscribe(), { userId: 'ada', ...keys })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', good, { state: 'sent' })
    await push.untilDelivery('m1', bad, { state: 'failed', last_code: 'INVALID_KEYS' })
    expect(await push.device(bad)).toEqual({ disabled_reason: 'invalid-keys' })
    expect(service.attempts).toHaveLength(1)
    await worker.terminate()
  })
})
