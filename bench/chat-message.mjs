// @ts-check
import { randomUUID } from 'node:crypto'

/** Conversations that are so many apart are of one tenant. */
export const tenants = 50

/**
 * A message such as people write: about 330 bytes as JSON, all of one length. The conversations take turns.
 * @param {number} index
 * @param {number} conversations
 * @returns {import('@mono/contracts').ChatMessage}
 */
export function createChatMessage(index, conversations) {
  const conversation = index % conversations
  return {
    messageId: randomUUID(),
    conversationId: `conversation-${String(conversation).padStart(6, '0')}`,
    senderId: `user-${String(index % 7).padStart(6, '0')}`,
    tenantId: 10 + (conversation % tenants),
    content: 'Shall we meet for lunch at the usual place? I have booked a table for half past twelve.',
    messageType: 'text',
    timestamp: new Date(),
  }
}
