// @ts-check
import { randomUUID } from 'node:crypto'

/**
 * An effect that an example message should have; `read` answers with what is there, or undefined as long as nothing is.
 * @typedef {{ where: string, read: () => Promise<string | undefined> }} Effect
 */

/**
 * What an example works with.
 * @typedef {object} Stage
 * @property {import('@mono/message-queue').MessageQueue} messageQueue
 * @property {typeof import('@mono/contracts')} contracts
 * @property {(sql: string, params: unknown[]) => Promise<Record<string, unknown> | undefined>} findRow the first row
 * @property {import('./far-ends.mjs').FarEnds} farEnds
 * @property {(exchange: string, bindingKey: string) => Promise<LiveMessages>} subscribe with a queue of its own, as an
 *   application would
 */

/** @typedef {{ find: (wanted: (message: Record<string, unknown>) => boolean) => string | undefined }} LiveMessages */

/**
 * @typedef {object} WorkerDescription
 * @property {string} name of the directory in apps/
 * @property {number} httpPort wanted; another one if it is taken
 * @property {(farEnds: import('./far-ends.mjs').FarEnds) => NodeJS.ProcessEnv} [env] beside RABBITMQ_URL, DATABASE_URL
 *   and HTTP_PORT
 * @property {(stage: Stage) => Promise<{ sent: string, effects: Effect[] }>} sendExample
 */

/** @param {unknown} date */
const toTime = (date) => (date instanceof Date ? date : new Date(String(date))).toISOString().slice(11, 23)

/** @type {WorkerDescription[]} */
export const workers = [
  {
    name: 'chat-worker',
    httpPort: 9101,
    async sendExample({ messageQueue, contracts, findRow, subscribe }) {
      const live = await subscribe('realtime', 'chat.#')
      const message = { ...contracts.examples['chat.message'], messageId: randomUUID(), timestamp: new Date() }
      await messageQueue.sendChatMessage(message)
      return {
        sent: `chat message ${message.messageId}`,
        effects: [
          {
            where: 'chat.messages',
            async read() {
              const row = await findRow(
                'select conversation_id, sequence from chat.messages where tenant_id = $1 and message_id = $2',
                [message.tenantId, message.messageId],
              )
              return row && `stored as number ${row.sequence} of ${row.conversation_id}`
            },
          },
          {
            where: 'exchange realtime',
            async read() {
              const routingKey = live.find((body) => body.messageId === message.messageId)
              return routingKey && `a subscriber got ${routingKey}`
            },
          },
        ],
      }
    },
  },
  {
    name: 'push-worker',
    httpPort: 9102,
    env: ({ pushService, vapid, certificateFile }) => ({
      VAPID_SUBJECT: 'mailto:mono@example.com',
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
      PUSH_ENDPOINT_ALLOW: `localhost:${pushService.port}`,
      NODE_EXTRA_CA_CERTS: certificateFile,
    }),
    async sendExample({ messageQueue, contracts, findRow, farEnds }) {
      const notification = { ...contracts.examples['push.notification'], recipientIds: [randomUUID()] }
      const device = farEnds.pushService.subscribe()
      await findRow(
        `insert into push.devices (tenant_id, user_id, channel, address, p256dh, auth)
          values ($1, $2, 'web', $3, $4, $5)`,
        [notification.tenantId, notification.recipientIds[0], device.endpoint, device.p256dh, device.auth],
      )
      const { messageId } = await messageQueue.sendPushNotification(notification, { channel: 'web' })
      return {
        sent: `push notification ${messageId}`,
        effects: [
          {
            where: 'push service',
            async read() {
              const [message] = farEnds.pushService.receivedBy(device)
              return message && `decrypted: ${JSON.parse(String(message.payload)).title}`
            },
          },
        ],
      }
    },
  },
  {
    name: 'email-worker',
    httpPort: 9103,
    env: ({ mailCatcher }) => ({ SMTP_URL: mailCatcher.url, EMAIL_FROM: 'Mono <mono@example.com>' }),
    async sendExample({ messageQueue, contracts, farEnds }) {
      const to = `${randomUUID()}@example.com`
      const mail = {
        ...contracts.examples['email.notification'],
        to: [to],
        template: 'welcome',
        data: { userName: 'Ada' },
      }
      const { messageId } = await messageQueue.sendEmailNotification(mail)
      return {
        sent: `mail ${messageId}`,
        effects: [
          {
            where: 'mail catcher',
            async read() {
              const [received] = farEnds.mailCatcher.receivedBy(to)
              return received && `${received.subject}, see ${farEnds.mailPage}`
            },
          },
        ],
      }
    },
  },
  {
    name: 'audit-worker',
    httpPort: 9104,
    async sendExample({ messageQueue, contracts, findRow }) {
      const event = { ...contracts.examples['audit.event'], timestamp: new Date() }
      const { messageId } = await messageQueue.sendAuditEvent(event)
      return {
        sent: `audit event ${messageId}`,
        effects: [
          {
            where: 'audit.events',
            async read() {
              const row = await findRow(
                'select event_type, recorded_at from audit.events where tenant_id = $1 and event_id = $2',
                [event.tenantId, messageId],
              )
              return row && `${row.event_type} recorded at ${toTime(row.recorded_at)}`
            },
          },
        ],
      }
    },
  },
]
