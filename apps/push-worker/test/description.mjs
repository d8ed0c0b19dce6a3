// @ts-check
import { randomUUID } from 'node:crypto'

const tenantId = 42

/** Each is to have one device. */
export const pushUsers = Array.from({ length: 50 }, (_, index) => `user-${index}`)

/** @type {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} */
export const pushDescription = {
  name: 'push-worker',
  queue: 'push.notifications',
  exchange: 'notifications',
  routingKey: 'push.all',
  httpPort: 9102,
  createEnvironment: ({ pushPort, vapid, certificateFile, phones }) => ({
    ...phones,
    VAPID_SUBJECT: 'mailto:mono@example.com',
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    PUSH_ENDPOINT_ALLOW: `localhost:${pushPort}`,
    NODE_EXTRA_CA_CERTS: certificateFile,
  }),
  createPayload,
  send: (messageQueue, payload, messageId) => messageQueue.sendPushNotification(payload, { messageId }),
  readEffects: async ({ listPushes }) => (await listPushes()).map(({ tag, at }) => ({ id: tag, at })),
  async sendExample({ messageQueue, query, pushService, fcmService, apnsService }) {
    const userId = randomUUID()
    const device = pushService.subscribe()
    const android = fcmService.register()
    const iphone = apnsService.register()
    await registerDevices(query, [userId], [device])
    await registerPhones(query, userId, { fcm: android.address, apns: iphone })
    const { messageId } = await messageQueue.sendPushNotification({
      ...createPayload(0),
      recipientIds: [userId],
      title: 'New message',
    })
    return {
      sent: `push notification ${messageId}`,
      effects: [
        {
          where: 'push service',
          async read() {
            const [message] = pushService.receivedBy(device)
            return message && `decrypted: ${JSON.parse(message.payload).title}`
          },
        },
        {
          where: 'FCM, for Android',
          async read() {
            const taken = fcmService.received.find(({ device: { address } }) => address === android.address)
            return taken && `token verified: ${JSON.stringify(taken.message.notification)}`
          },
        },
        {
          where: 'APNs, for an iPhone',
          async read() {
            const taken = apnsService.received.find(({ token }) => token === iphone)
            return taken && `token verified: ${JSON.stringify(taken.payload.aps)}`
          },
        },
      ],
    }
  },
}

/** The notification with this number; the users take turns. @param {number} index */
export function createPayload(index) {
  const recipientIds = [`user-${index % pushUsers.length}`]
  return { tenantId, recipientIds, title: 'Numbered', body: `number ${index}`, data: { index } }
}

/**
 * Gives each user one device. Those that are there already stay.
 * @param {(sql: string, params: unknown[]) => Promise<unknown>} query
 * @param {string[]} userIds
 * @param {readonly import('@mono/test-support').PushDevice[]} devices
 */
export async function registerDevices(query, userIds, devices) {
  await query(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth)
     SELECT $1, user_id, 'web', address, p256dh, auth
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS device(user_id, address, p256dh, auth)
     ON CONFLICT DO NOTHING`,
    [
      tenantId,
      userIds,
      devices.map(({ endpoint }) => endpoint),
      devices.map(({ p256dh }) => p256dh),
      devices.map(({ auth }) => auth),
    ],
  )
}

/**
 * Gives a user a phone of each kind.
 * @param {(sql: string, params: unknown[]) => Promise<unknown>} query
 * @param {string} userId
 * @param {{ fcm: string, apns: string }} addresses
 */
async function registerPhones(query, userId, { fcm, apns }) {
  await query(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address)
     VALUES ($1, $2, 'fcm', $3), ($1, $2, 'apns', $4)`,
    [tenantId, userId, fcm, apns],
  )
}
