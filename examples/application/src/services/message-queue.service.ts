import {
  type AuditEvent,
  type ChatMessage,
  type EmailNotification,
  type MessageType,
  type PayloadByType,
  type PushNotification,
  serializePayload,
} from '@mono/contracts'
import type { ClientBase } from 'pg'
import { uuidv7 } from 'uuidv7'
import { enqueue } from '../outbox/index.js'

export type TransactionalMessageQueue = ReturnType<typeof createMessageQueueService>

/**
 * The client's sends, in a transaction: a message is sent if the transaction commits, however long the broker is away, and
 * never otherwise. Each resolves with the message's id, and rejects with the client's `InvalidMessageError`.
 */
export function createMessageQueueService(client: ClientBase) {
  async function put<T extends MessageType>(
    type: T,
    payload: PayloadByType[T],
    { messageId = uuidv7(), orderKey = messageId }: { messageId?: string; orderKey?: string } = {},
  ): Promise<{ messageId: string }> {
    const body = serializePayload(type, payload)
    await enqueue(client, [{ messageId, tenantId: payload.tenantId, type, orderKey, body }])
    return { messageId }
  }

  return {
    /** A conversation's messages are sent in the order of their commits. */
    sendChatMessage: (payload: ChatMessage) =>
      put('chat.message', payload, { messageId: payload.messageId, orderKey: payload.conversationId }),
    sendPushNotification: (payload: PushNotification, options: { messageId: string }) =>
      put('push.notification', payload, options),
    sendEmailNotification: (payload: EmailNotification, options: { messageId: string }) =>
      put('email.notification', payload, options),
    /** Events of one entity are sent in the order of their commits. */
    sendAuditEvent: (payload: AuditEvent) =>
      put('audit.event', payload, { orderKey: `${payload.entityType} ${payload.entityId}` }),
  }
}
