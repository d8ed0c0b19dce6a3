import type { ChatMessage, StoredChatMessage } from '@mono/contracts'

/**
 * A row of `chat.messages` as `messageColumns` selects it. `pg` gives bigint as text; all three fit into a number.
 */
export interface MessageRow {
  tenant_id: string
  message_id: string
  conversation_id: string
  sequence: string
  sender_id: string
  content: string
  message_type: ChatMessage['messageType']
  /** Milliseconds since 1970: timestamptz holds microseconds, and its text depends on the session's time zone. */
  sent_at_ms: string
}

export const messageColumns = `tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type,
  floor(extract(epoch FROM sent_at) * 1000)::bigint AS sent_at_ms`

export function toStoredMessage(row: MessageRow): StoredChatMessage {
  return {
    tenantId: Number(row.tenant_id),
    messageId: row.message_id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    content: row.content,
    messageType: row.message_type,
    timestamp: new Date(Number(row.sent_at_ms)),
    sequence: Number(row.sequence),
  }
}
