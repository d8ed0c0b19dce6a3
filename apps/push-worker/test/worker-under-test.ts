import { createMessageQueue } from '@mono/message-queue'
import type {
  ExpectOnceOptions,
  FarEnd,
  PushDevice,
  PushService,
  TestDatabase,
  WorkerUnderTest,
} from '@mono/test-support'
import { createPushService } from '@mono/test-support/sinks'
import { expect } from 'vitest'
import webPush from 'web-push'
import { createPayload as numberedPush, pushDescription, pushUsers, registerDevices } from './description.mjs'
import { createPushEnvironment } from './support/push-environment.js'

export { numberedPush }

export interface PushFarEnd extends FarEnd {
  service: PushService
  /** Of the users `user-0`, `user-1` … one each. */
  devices: readonly PushDevice[]
}

export const pushWorker: WorkerUnderTest<PushFarEnd> = {
  ...pushDescription,
  table: 'push.deliveries',
  done: "state = 'sent'",
  skipsDone: true,
  requires: ['VAPID_SUBJECT', 'VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY'],
  async openFarEnd({ cleanUp }) {
    const keys = webPush.generateVAPIDKeys()
    const service = await createPushService({ vapidPublicKey: keys.publicKey })
    cleanUp(() => service.close())
    const devices = pushUsers.map(() => service.subscribe())
    return { service, devices, env: createPushEnvironment({ services: [service], keys, cleanUp }) }
  },
  async seed({ database, farEnd: { devices } }) {
    await registerDevices((sql, params) => database.query(sql, params), pushUsers, devices)
  },
  createBody: numberedPush,
  foreign: {
    messages: [foreignPush(0, { data: null }, {}), foreignPush(1, { data: [] }, { data: {} })],
    readEffects: async ({ farEnd }) =>
      farEnd.service.received.map(({ payload }) => {
        const { tag, ...shown } = JSON.parse(payload)
        return shown
      }),
  },
  openSender({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
    cleanUp(() => messageQueue.close())
    return (index) => pushDescription.send(messageQueue, numberedPush(index), `push-${index}`)
  },
  async watchEffects({ database, farEnd }) {
    return {
      async countHandled() {
        return farEnd.service.attempts.length
      },
      async expectOnce(count, options) {
        await expectPushedOnce(database, farEnd, count, options)
      },
    }
  },
}

function foreignPush(index: number, fields: { data: object | null }, shown: object) {
  const { data, ...others } = numberedPush(index)
  const { title, body } = others
  return { body: { ...others, ...fields, image: null }, effect: { title, body, ...shown } }
}

/** At the devices, decrypted, and in the ledger. */
async function expectPushedOnce(
  database: TestDatabase,
  { service, devices }: PushFarEnd,
  count: number,
  { killed = false }: ExpectOnceOptions = {},
): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index)
  const deliveries = await database.query<{ message_id: string; user_id: string; state: string; attempts: number }>(
    `SELECT message_id, user_id, state, attempts
     FROM push.deliveries AS delivery JOIN push.devices AS device ON device.id = device_id`,
  )
  const pushes = service.received.map(({ device, payload }) => ({ device, ...JSON.parse(payload) }))
  const deliveryByTag = new Map(deliveries.map((delivery) => [delivery.message_id, delivery]))
  const tagByIndex = new Map(pushes.map(({ data, tag }) => [data.index, tag]))
  expect(deliveries).toHaveLength(count)
  expect(indexes.map((index) => deliveryByTag.get(tagByIndex.get(index)))).toMatchObject(
    indexes.map((index) => ({ user_id: pushUsers[index % pushUsers.length], state: 'sent' })),
  )
  for (const push of pushes) {
    const { title, body, data } = numberedPush(push.data.index)
    const device = devices[push.data.index % pushUsers.length]
    expect(push).toEqual({ title, body, data, device, tag: push.tag })
  }
  // Claimed anew, because the lease of a process that had died was over.
  const timesByTag = new Map<string, number>()
  for (const { tag } of pushes) timesByTag.set(tag, (timesByTag.get(tag) ?? 0) + 1)
  for (const [tag, times] of timesByTag) {
    const most = killed && Number(deliveryByTag.get(tag)?.attempts) > 1 ? 2 : 1
    if (times > most) expect({ tag, times }).toEqual({ tag, times: most })
  }
  expect(service.attempts.filter(({ answer }) => answer !== 201)).toEqual([])
}
