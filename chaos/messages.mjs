// @ts-check

/** @typedef {import('@mono/rascal-config').WorkQueueName} QueueName */

/**
 * How messages of one queue are made and sent. Each has its effect once, where it can be found by its id.
 * @typedef {object} MessageKind
 * @property {string} worker
 * @property {string} exchange
 * @property {string} routingKey
 * @property {(index: number, id: string) => object} createPayload
 * @property {(messageQueue: import('@mono/message-queue').MessageQueue, payload: any, messageId: string) => Promise<unknown>} send
 */

export const tenantId = 1
const conversations = 20
/** Each has one device. */
export const pushUsers = Array.from({ length: 50 }, (_, index) => `user-${index}`)

/** @param {QueueName} queue @param {number} index */
export const toMessageId = (queue, index) => `${queue}-${index}`

/** @param {string} messageId */
export const toIndex = (messageId) => Number(messageId.split('-').at(-1))

/** @type {Record<QueueName, MessageKind>} */
export const messageKinds = {
  'chat.messages': {
    worker: 'chat-worker',
    exchange: 'messages',
    routingKey: 'chat.direct',
    createPayload: (index, messageId) => ({
      messageId,
      conversationId: `conversation-${index % conversations}`,
      senderId: `user-${index % 7}`,
      tenantId,
      content: `Hello number ${index}`,
      messageType: 'text',
      timestamp: new Date(),
    }),
    send: (messageQueue, payload) => messageQueue.sendChatMessage(payload),
  },
  'push.notifications': {
    worker: 'push-worker',
    exchange: 'notifications',
    routingKey: 'push.web',
    createPayload: (index) => ({
      recipientIds: [pushUsers[index % pushUsers.length]],
      title: 'New message',
      body: `Number ${index}`,
      tenantId,
    }),
    send: (messageQueue, payload, messageId) =>
      messageQueue.sendPushNotification(payload, { messageId, channel: 'web' }),
  },
  'email.notifications': {
    worker: 'email-worker',
    exchange: 'notifications',
    routingKey: 'email.send',
    createPayload: (index, messageId) => ({
      to: [`recipient-${index}@example.com`],
      subject: messageId,
      text: `Number ${index}`,
      tenantId,
    }),
    send: (messageQueue, payload, messageId) => messageQueue.sendEmailMessage(payload, { messageId }),
  },
  'audit.events': {
    worker: 'audit-worker',
    exchange: 'audit',
    routingKey: 'audit.track',
    createPayload: (index) => ({
      eventType: 'invoice.approved',
      userId: `user-${index % 7}`,
      tenantId,
      entityType: 'invoice',
      entityId: `invoice-${index}`,
      changes: { status: { from: 'open', to: 'approved' } },
      timestamp: new Date(),
    }),
    send: (messageQueue, payload, messageId) => messageQueue.sendAuditEvent(payload, { messageId }),
  },
}

export const queueNames = /** @type {QueueName[]} */ (Object.keys(messageKinds))
