// @ts-check
import { randomUUID } from 'node:crypto'

export const conversations = 20
const since = Date.now()

/** @type {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} */
export const chatDescription = {
  name: 'chat-worker',
  queue: 'chat.messages',
  exchange: 'messages',
  routingKey: 'chat.direct',
  httpPort: 9101,
  createPayload,
  send: (messageQueue, payload) => messageQueue.sendChatMessage(payload),
  conversationOf: (index) => createPayload(index, '').conversationId,
  readEffects: ({ query }) =>
    query(`
      SELECT message_id AS id, extract(epoch FROM stored_at)::float * 1000 AS at, sequence::int AS sequence
      FROM chat.messages`),
  seesAllEffects: true,
  async findFaults({ query }) {
    const gaps = await query(`
      SELECT conversation_id, count(*) AS found, max(sequence) AS last FROM chat.messages
      GROUP BY tenant_id, conversation_id HAVING count(*) <> max(sequence)`)
    return gaps.map(
      ({ conversation_id, found, last }) => `${conversation_id}: ${found} messages, the last is number ${last}`,
    )
  },
  async sendExample({ messageQueue, query, subscribe, hear }) {
    const live = await subscribe('realtime', 'chat.#')
    const message = { ...createPayload(0, randomUUID()), conversationId: 'conversation-7' }
    const page = await hear?.(message.conversationId)
    await messageQueue.sendChatMessage(message)
    return {
      sent: `chat message ${message.messageId}`,
      effects: [
        {
          where: 'chat.messages',
          async read() {
            const [row] = await query('SELECT conversation_id, sequence FROM chat.messages WHERE message_id = $1', [
              message.messageId,
            ])
            return row && `stored as number ${row.sequence} of ${row.conversation_id}`
          },
        },
        {
          where: 'exchange realtime',
          async read() {
            const routingKey = live.find(({ messageId }) => messageId === message.messageId)
            return routingKey && `a subscriber got ${routingKey}`
          },
        },
        ...(page ? [{ where: 'a page, by Web MQTT', read: async () => readHeard(page.find(message.messageId)) }] : []),
      ],
    }
  },
}

/** @param {number | undefined} sequence */
const readHeard = (sequence) => (sequence === undefined ? undefined : `heard as number ${sequence}`)

/**
 * The message with this number; the conversations take turns. Their ids have a point, which routing keys must not have.
 * @param {number} index
 * @param {string} messageId
 */
export function createPayload(index, messageId) {
  return {
    messageId,
    conversationId: `room.${index % conversations}`,
    senderId: `user-${index % 7}`,
    tenantId: 42,
    content: `number ${index}`,
    messageType: /** @type {const} */ ('text'),
    timestamp: new Date(since + index),
  }
}
