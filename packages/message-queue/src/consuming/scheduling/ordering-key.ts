import type { ReceivedMessage } from '../reading/received-message.js'

/** Messages with the same key are handled one after the other: those of a conversation. Others have a key of their own. */
export function orderingKey({ messageId, payload, tenantId, type }: ReceivedMessage): string {
  return type === 'chat.message' ? `${tenantId} ${payload.conversationId}` : `${tenantId} ${type} ${messageId}`
}
