import { z } from 'zod'
import { content, date, id, positiveInteger, tenantId } from './fields.js'

/** A message of a conversation. Routing keys `chat.direct` and `chat.group`; consumed by the chat worker. */
export interface ChatMessage {
  /** Id, unique within the tenant. A message sent again with the same id and the same fields is stored once. */
  messageId: string
  /** Id of the conversation; its messages are numbered in the order in which they are stored. */
  conversationId: string
  /** Id of the user who wrote it. */
  senderId: string
  /** Integer from 1 to 2^53−1. */
  tenantId: number
  /** Text, or a reference to what was sent; may be empty; at most 64 KiB. */
  content: string
  messageType: 'text' | 'image' | 'file' | 'system'
  /** When it was written, by the sender's clock. Whole milliseconds. */
  timestamp: Date
}

/** A chat message as stored: the body of a live update on the `realtime` exchange. */
export type StoredChatMessage = ChatMessage & {
  /** Place in the conversation: 1, 2, 3 … without gaps, in the order in which the messages were stored. */
  sequence: number
}

export const chatMessageSchema = z.object({
  messageId: id,
  conversationId: id,
  senderId: id,
  tenantId,
  content,
  messageType: z.enum(['text', 'image', 'file', 'system']),
  timestamp: date,
}) satisfies z.ZodType<ChatMessage>

export const storedChatMessageSchema = chatMessageSchema.extend({
  sequence: positiveInteger,
}) satisfies z.ZodType<StoredChatMessage>

export const chatMessageExample: ChatMessage = {
  messageId: '0195f0a2-7c1e-7a60-9d0b-3f6c2a9be001',
  conversationId: 'conversation-7',
  senderId: 'user-1',
  tenantId: 42,
  content: 'Shall we meet at noon?',
  messageType: 'text',
  timestamp: new Date('2025-04-01T09:30:00.250Z'),
}
