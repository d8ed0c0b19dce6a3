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
 * @property {(exchange: string, bindingKey: string) => Promise<LiveMessages>} subscribe with a queue of its own, as an
 *   application would
 */

/** @typedef {{ find: (wanted: (message: Record<string, unknown>) => boolean) => string | undefined }} LiveMessages */

/**
 * @typedef {object} WorkerDescription
 * @property {string} name of the directory in apps/
 * @property {number} httpPort wanted; another one if it is taken
 * @property {NodeJS.ProcessEnv} [env] beside RABBITMQ_URL, DATABASE_URL and HTTP_PORT
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
