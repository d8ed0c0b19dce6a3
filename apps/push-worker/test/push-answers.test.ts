import { waitFor } from '@mono/test-support'
import { createPushService, type PushAnswer } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import webPush from 'web-push'
import { test } from './support/push-setup.js'

describe('an answer', () => {
  test('that is final: what the ledger says of the device, and whether it is disabled', async ({
    push,
    vhost,
    cleanUp,
  }) => {
    const elsewhere = await createPushService()
    cleanUp(() => elsewhere.close())
    const classes: [string, PushAnswer, string, string | null, string | null][] = [
      ['201', 201, 'sent', null, null],
      ['200', { status: 200 }, 'sent', null, null],
      ['404', 404, 'failed', 'GONE', 'gone'],
      ['410', 410, 'failed', 'GONE', 'gone'],
      ['400', 400, 'failed', 'PROVIDER_REJECTED', null],
      ['413', 413, 'failed', 'PAYLOAD_TOO_LARGE', null],
      ['307', { redirect: `https://localhost:${elsewhere.port}/push/x`, status: 307 }, 'failed', 'REDIRECTED', null],
    ]
    const service = await push.createService()
    const ids = new Map<string, string>()
    for (const [name, answer] of classes) {
      const device = service.subscribe()
      service.answer(device, answer)
      ids.set(name, await push.register(device, { userId: name }))
    }
    const worker = await push.startWorker()
    for (const [name] of classes) await push.send(name, [name])
    for (const [name, , state, last_code, disabled_reason] of classes) {
      const id = ids.get(name) ?? ''
      await push.untilDelivery(name, id, { state, last_code })
      await waitFor(async () => (await push.device(id))?.disabled_reason === disabled_reason, {
        what: `${name} disabled`,
      })
    }
    const failed = classes.filter(([, , state]) => state === 'failed').map(([name]) => name)
    const dead = await vhost.drainQueue('push.notifications.dlq', failed.length)
    expect(dead.map(({ properties }) => properties.messageId).sort()).toEqual(failed.sort())
    for (const { headers } of dead) expect(headers['x-failure-code']).toBe('ALL_RECIPIENTS_FAILED')
    // The next message finds the devices that are left, and does not try those that are gone.
    await push.send('next', ['201', '404', '410'])
    await push.untilDelivery('next', ids.get('201') ?? '', { state: 'sent' })
    await worker.terminate()
    expect(service.attempts).toHaveLength(classes.length + 1)
    expect(elsewhere.attempts).toHaveLength(0)
  })

  test('is kept in the ledger in its own words, without endpoints and tokens', async ({ push, vhost }) => {
    const service = await push.createService()
    const device = service.subscribe()
    const id = await push.register(device, { userId: 'ada' })
    const token = 'fGh1-2_abcdefghijklmno:APA91bHun4MxP5egoKMwt2KZFBaFUH'
    const body = `\nNo ${device.endpoint} of ada@example.com, \u0000${token}\n${'more\n'.repeat(1_000)}`
    service.answer(device, { status: 400, body })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    const reason = 'HTTP 400: No [url] of [address], [token]'
    await push.untilDelivery('m1', id, { state: 'failed', last_code: 'PROVIDER_REJECTED', last_reason: reason })
    const [dead] = await vhost.drainQueue('push.notifications.dlq', 1)
    await worker.terminate()
    const message = `All 1 recipients failed: 1 PROVIDER_REJECTED. The first: ${reason}`
    expect(dead?.headers).toMatchObject({ 'x-failure-message': message })
    expect(worker.logs.filter((line) => JSON.stringify(line).includes(reason))).toHaveLength(1)
  })

  test('that is not: the device waits, its message comes back, and it is served once', async ({ push, vhost }) => {
    const scripts: [string, PushAnswer[] | 'down', string, 'deferred' | 'retried'][] = [
      ['429', [{ status: 429, retryAfter: 3 }], 'RATE_LIMITED', 'deferred'],
      [
        '429 until a date',
        [{ status: 429, retryAfter: new Date(Date.now() + 9000).toUTCString() }],
        'RATE_LIMITED',
        'deferred',
      ],
      ['429 without a time', [429], 'RATE_LIMITED', 'deferred'],
      ['503 with a time', [{ status: 503, retryAfter: 2 }], 'PROVIDER_UNAVAILABLE', 'deferred'],
      ['down', 'down', 'CONNECTION_FAILED', 'deferred'],
      [
        '406 of WNS',
        [{ status: 406, retryAfter: 4, headers: { 'x-wns-notificationstatus': 'channelthrottled' } }],
        'RATE_LIMITED',
        'deferred',
      ],
      ['421', [421], 'PROVIDER_UNAVAILABLE', 'retried'],
      ['425', [425], 'PROVIDER_UNAVAILABLE', 'retried'],
      ['500', [500], 'PROVIDER_UNAVAILABLE', 'retried'],
      ['408', [408], 'PROVIDER_UNAVAILABLE', 'retried'],
      ['reset', ['reset'], 'CONNECTION_LOST', 'retried'],
    ]
    const cases = []
    for (const [name, answers, code, outcome] of scripts) {
      const service = await push.createService()
      const id = await push.register(service.subscribe(), { userId: name })
      if (answers === 'down') await service.stop()
      else service.answer('all', answers)
      cases.push({ name, answers, code, outcome, service, id })
    }
    const worker = await push.startWorker()
    for (const { name } of cases) await push.send(name, [name])
    for (const { name, code, id } of cases) await push.untilDelivery(name, id, { state: 'retry', last_code: code })
    await waitFor(async () => (await vhost.countMessages('push.notifications.retry.10s')) === cases.length, {
      what: 'the messages to wait',
    })
    const metrics = await (await fetch(`${worker.httpUrl}/metrics`)).text()
    for (const outcome of ['deferred', 'retried']) {
      const counts = metrics.matchAll(new RegExp(`mono_deliveries_total{[^}]*outcome="${outcome}"[^}]*} (\\d+)`, 'g'))
      const count = [...counts].reduce((sum, [, value]) => sum + Number(value), 0)
      expect([outcome, count]).toEqual([outcome, cases.filter((each) => each.outcome === outcome).length])
    }
    for (const { answers, service } of cases) if (answers === 'down') await service.start()
    for (const { name, id } of cases) await push.untilDelivery(name, id, { state: 'sent' })
    await worker.terminate()
    for (const { name, service } of cases) expect([name, service.received.length]).toEqual([name, 1])
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })
})

describe('credentials that are refused', () => {
  test('are signed again, once', async ({ push }) => {
    const service = await push.createService()
    service.answer('all', [403])
    const id = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', id, { state: 'sent', attempts: 1 })
    await worker.terminate()
    expect(service.attempts.map(({ answer }) => answer)).toEqual([403, 201])
  })

  test('by a push service that knows another key: its devices wait, with one error line, the others are served', async ({
    push,
  }) => {
    const strict = await push.createService()
    const other = await push.createService()
    const foreign = webPush.generateVAPIDKeys().publicKey
    const ids = []
    for (let count = 0; count < 15; count += 1) {
      ids.push(await push.register(strict.subscribe({ vapidPublicKey: foreign }), { userId: 'ada' }))
    }
    const served = await push.register(other.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker({ PUSH_CONCURRENCY: '1' })
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', served, { state: 'sent' })
    for (const id of ids) await push.untilDelivery('m1', id, { state: 'retry' })
    await push.send('m2', ['ada'])
    await push.untilDelivery('m2', served, { state: 'sent' })
    for (const id of ids) await push.untilDelivery('m2', id, { state: 'retry' })
    expect(await worker.metric('mono_push_origins_closed')).toBe(1)

    await worker.terminate()
    const errors = worker.logs.filter(({ level }) => level === 'error')
    expect(errors).toMatchObject([{ origin: `https://localhost:${strict.port}`, status: 403 }])
    // Ten devices, each asked again with a new signature, were enough to know; trials may have followed.
    expect(strict.attempts.length).toBeLessThanOrEqual(24)
    expect(strict.attempts.map(({ answer }) => answer)).toEqual(strict.attempts.map(() => 403))
  })

  test('for one device from the start, and another is served at once', async ({ push }) => {
    const service = await push.createService()
    const foreign = webPush.generateVAPIDKeys().publicKey
    const bad = await push.register(service.subscribe({ vapidPublicKey: foreign }), { userId: 'bob' })
    const good = await push.register(service.subscribe(), { userId: 'ada' })
    const worker = await push.startWorker()
    await push.send('m1', ['bob'])
    await push.untilDelivery('m1', bad, { state: 'retry', last_code: 'VAPID_REJECTED' })
    const begun = Date.now()
    await push.send('m2', ['ada'])
    await push.untilDelivery('m2', good, { state: 'sent' })
    expect(Date.now() - begun).toBeLessThan(5000)
    // Now it is known whose fault it is.
    for (let count = 1; count <= 5; count += 1) {
      await push.send(`bad-${count}`, ['bob'])
      await push.untilDelivery(`bad-${count}`, bad, { state: 'failed', last_code: 'VAPID_MISMATCH' })
    }
    await waitFor(async () => (await push.device(bad))?.disabled_reason === 'refused', { what: 'the device disabled' })
    await worker.terminate()
    expect(service.attempts.filter(({ answer }) => answer === 403)).toHaveLength(12)
  })

  test('for one subscription only, which was made with another key: that device fails, the others are served', async ({
    push,
  }) => {
    const service = await push.createService()
    const good = await push.register(service.subscribe(), { userId: 'ada' })
    const foreign = webPush.generateVAPIDKeys().publicKey
    const bad = await push.register(service.subscribe({ vapidPublicKey: foreign }), { userId: 'bob' })
    const worker = await push.startWorker()
    await push.send('m1', ['ada'])
    await push.untilDelivery('m1', good, { state: 'sent' })
    await push.send('m2', ['ada', 'bob'])
    await push.untilDelivery('m2', bad, { state: 'failed', last_code: 'VAPID_MISMATCH' })
    await push.untilDelivery('m2', good, { state: 'sent' })
    await worker.terminate()
  })
})
