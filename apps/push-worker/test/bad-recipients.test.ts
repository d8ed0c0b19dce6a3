import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { migrate, type PushDevice, printNumbers, readDocumentedRecipients, test, waitFor } from '@mono/test-support'
import {
  createFcmError,
  createFcmService,
  createPushService,
  type FcmAnswer,
  type FcmService,
} from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { type Registration, registerDevice } from './support/register-device.js'
import { numberedPush, type PushFarEnd, pushWorker } from './worker-under-test.js'

const goodCount = 2_000

/** How to get a device of each documented kind; undefined for a user who has none. */
const kinds: Record<string, (farEnd: FarEnds, insidePort: number) => Partial<Registration> | undefined> = {
  'a user without a device': () => undefined,
  'a device whose `p256dh` is no key': ({ service }) => ({ ...keysOf(service.subscribe()), p256dh: 'B'.repeat(87) }),
  'a device whose `auth` is no key': ({ service }) => ({ ...keysOf(service.subscribe()), auth: 'short' }),
  'a device that the push service does not know any more': ({ service }) => {
    const device = service.subscribe()
    service.answer(device, 410)
    return keysOf(device)
  },
  'an endpoint that is no URL': at('push'),
  'an endpoint with `http:`': ({ service }) => at(`http://localhost:${service.port}/push`)({ service }),
  'an endpoint at a name that is reserved': at('https://permanently-removed.invalid/fcm/send'),
  'an endpoint at 127.0.0.1': ({ service }, port) => at(`https://127.0.0.1:${port}/push`)({ service }),
  'an endpoint at 169.254.169.254': at('https://169.254.169.254/latest/meta-data'),
  'an endpoint with user information': ({ service }) =>
    at(`https://user:secret@localhost:${service.port}/push`)({ service }),
  'an endpoint at another port': ({ service }, port) => at(`https://localhost:${port}/push`)({ service }),
  'an endpoint at a host that is no push service': at('https://example.com/push'),
  // The name is known; the name server of this test says that it is 127.0.0.1.
  'an endpoint at a host that leads to a private address': at('https://inside.push.apple.com/push'),
  'an endpoint that redirects to a private address': ({ service }, port) => {
    const device = service.subscribe()
    service.answer(device, { redirect: `https://127.0.0.1:${port}/push`, status: 307 })
    return keysOf(device)
  },
  'a phone whose token FCM does not know any more': phoneOf(createFcmError(404, { errorCode: 'UNREGISTERED' })),
  'a phone with the app of another Firebase project': phoneOf(createFcmError(403, { errorCode: 'SENDER_ID_MISMATCH' })),
  'a phone whose address FCM calls no token': phoneOf(
    createFcmError(400, { errorCode: 'INVALID_ARGUMENT', field: 'message.token' }),
  ),
  'a phone whose address can be no token': () => ({ address: `no token ${randomUUID()}`, channel: 'fcm' }),
  'a phone of a channel that is off': () => ({ address: randomUUID(), channel: 'apns' }),
}

/** Only FCM says anything here. */
const statuses: Record<string, number> = {
  'a phone whose token FCM does not know any more': 404,
  'a phone with the app of another Firebase project': 403,
  'a phone whose address FCM calls no token': 400,
}

function saidOf(recipient: string): string {
  const status = statuses[recipient]
  return status === undefined ? '' : `. The first: HTTP ${status}: It failed with ${status}.`
}

interface FarEnds extends PushFarEnd {
  fcm: FcmService
}

function phoneOf(answer: FcmAnswer) {
  return ({ fcm }: Pick<FarEnds, 'fcm'>): Registration => {
    const device = fcm.register()
    fcm.answer(device, answer)
    return { address: device.address, channel: 'fcm' }
  }
}

function keysOf({ endpoint, p256dh, auth }: PushDevice): Registration {
  return { address: endpoint, p256dh, auth }
}

/** With keys that are in order, and a path of its own. */
function at(address: string) {
  return ({ service }: Pick<PushFarEnd, 'service'>): Registration => ({
    ...keysOf(service.subscribe()),
    address: `${address}/${randomUUID()}`,
  })
}

const disabledBy: Record<string, string | null> = {
  'disabled, `invalid-keys`': 'invalid-keys',
  'disabled, `invalid-endpoint`': 'invalid-endpoint',
  'disabled, `gone`': 'gone',
  'disabled, `wrong-sender`': 'wrong-sender',
  'disabled, `invalid-token`': 'invalid-token',
  'left as it is': null,
}

describe('a recipient who cannot be served', () => {
  test('every documented kind is tried', async () => {
    const documented = await readDocumentedRecipients('push')
    expect(documented.length).toBeGreaterThan(10)
    expect(Object.keys(kinds).toSorted()).toEqual(documented.map(({ recipient }) => recipient).toSorted())
  })

  test('gets the documented code, and nobody else is held up', { timeout: 180_000 }, async ({
    vhost,
    database,
    workers,
    cleanUp,
  }) => {
    const web = (await pushWorker.openFarEnd?.({ cleanUp })) ?? expect.fail('Expected a push service')
    // With the names of a push service, so that both have the same certificate.
    const fcm = await createFcmService({ hosts: ['*.push.test'] })
    cleanUp(() => fcm.close())
    const farEnd = { ...web, fcm }
    await migrate(pushWorker.name, database.url)
    await pushWorker.seed?.({ database, farEnd })
    // What must not be asked.
    const inside = await createPushService()
    cleanUp(() => inside.close())
    const documented = await readDocumentedRecipients('push')
    // Of each kind one who is the only recipient, and one beside somebody who can be served; each is a user of its own.
    const bad = documented.flatMap((row) => [
      { ...row, userId: `alone: ${row.recipient}`, recipientIds: [`alone: ${row.recipient}`] },
      { ...row, userId: `beside: ${row.recipient}`, recipientIds: ['user-0', `beside: ${row.recipient}`] },
    ])
    for (const { recipient, userId } of bad) {
      const registration = kinds[recipient]?.(farEnd, inside.port)
      if (registration) await registerDevice(database, { address: '', ...registration, userId })
    }
    const resolver = fileURLToPath(new URL('support/resolve-inside.mjs', import.meta.url))
    const worker = workers.spawn(pushWorker.name, {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      ...farEnd.env,
      FCM_ORIGIN: fcm.origin,
      FCM_SERVICE_ACCOUNT: JSON.stringify(fcm.tokenEndpoint.serviceAccount),
      NODE_OPTIONS: `--import=${resolver}`,
    })
    await worker.ready()
    const send = pushWorker.openSender({ vhost, cleanUp })
    const good = Array.from({ length: goodCount }, (_, index) => index)
    const share = Math.ceil(goodCount / bad.length)
    await Promise.all(
      bad.flatMap(({ userId, recipientIds }, index) => [
        ...good.slice(index * share, (index + 1) * share).map(send),
        vhost.publish('notifications', 'push.all', { ...numberedPush(0), recipientIds }, { messageId: userId }),
      ]),
    )
    const expectedSent = goodCount + documented.length
    const withDevice = documented.filter(({ code }) => code !== undefined)
    await waitFor(
      async () => (await database.query("SELECT FROM push.deliveries WHERE state = 'sent'")).length === expectedSent,
      { what: 'everybody else to be served', timeoutMs: 120_000 },
    )
    const dead = await vhost.drainQueue('push.notifications.dlq', withDevice.length, { timeoutMs: 30_000 })
    await worker.terminate()

    const failures = await database.query<{ message_id: string; last_code: string; disabled_reason: string | null }>(
      `SELECT message_id, last_code, disabled_reason
       FROM push.deliveries AS delivery JOIN push.devices AS device ON device.id = device_id
       WHERE state = 'failed' AND attempts = 1 AND user_id = message_id`,
    )
    printNumbers('push-worker bad recipients', {
      pid: worker.pid,
      good: goodCount,
      kinds: documented.length,
      sent: expectedSent,
      failed: failures.length,
      deadLettered: dead.length,
      disabled: failures.filter(({ disabled_reason }) => disabled_reason !== null).length,
    })
    const byText = (items: object[]) => items.map((item) => JSON.stringify(item)).toSorted()
    expect(byText(failures)).toEqual(
      byText(
        bad
          .filter(({ code }) => code !== undefined)
          .map(({ userId, code, result }) => ({
            message_id: userId,
            last_code: code,
            disabled_reason: disabledBy[result],
          })),
      ),
    )
    const letters = dead.map(({ properties, headers }) => ({
      id: properties.messageId,
      code: headers['x-failure-code'],
      reason: headers['x-failure-message'],
    }))
    expect(byText(letters)).toEqual(
      byText(
        withDevice.map(({ recipient, code }) => ({
          id: `alone: ${recipient}`,
          code: 'ALL_RECIPIENTS_FAILED',
          reason: `All 1 recipients failed: 1 ${code}${saidOf(recipient)}`,
        })),
      ),
    )
    const counted = worker.logs.filter(({ usersWithout }) => usersWithout === 1)
    expect(counted.map(({ messageId }) => messageId).toSorted()).toEqual([
      'alone: a user without a device',
      'beside: a user without a device',
    ])
    expect(inside.attempts).toHaveLength(0)
    const served = new Set(farEnd.service.received.map(({ payload }) => JSON.parse(payload).tag))
    expect([served.size, farEnd.service.received.length]).toEqual([expectedSent, expectedSent])
    expect(await vhost.countMessages('push.notifications')).toBe(0)
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })
})
