import { type ChatMessage, examples } from '@mono/contracts'
import type { ReceivedMessage } from '@mono/message-queue'

export function chatMessage(fields: Partial<ChatMessage> = {}): ChatMessage {
  return { ...examples['chat.message'], ...fields }
}

/** The message as the worker receives it. */
export function receivedChatMessage(fields: Partial<ChatMessage> = {}): ReceivedMessage<'chat.messages'> {
  const payload = chatMessage(fields)
  return {
    payload,
    bodyText: JSON.stringify(payload),
    type: 'chat.message',
    messageId: payload.messageId,
    tenantId: payload.tenantId,
    routingKey: 'chat.direct',
    publishedAt: payload.timestamp,
    attempt: 1,
    redelivered: false,
    headers: {},
  }
}
