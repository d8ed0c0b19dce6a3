import type { ChatMessage } from '@mono/contracts'
import type { Work } from './work.js'

/**
 * Accepts a message. The same message again, with the same id, is accepted again and stored once.
 *
 * @throws InvalidMessageError naming the fields; NotFoundError if the sender is no member of the conversation; ConflictError
 */
export async function sendChatMessage({ db, messageQueue }: Work, message: ChatMessage): Promise<ChatMessage> {
  await db.conversation.assertMember(message.tenantId, message.senderId, [message.conversationId])
  // Store in database first
  const savedMessage = await db.message.create({ data: message })

  // Queue for real-time delivery
  await messageQueue.sendChatMessage(savedMessage)

  return savedMessage
}
