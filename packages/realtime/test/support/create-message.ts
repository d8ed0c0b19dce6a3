import type { RealtimeMessage } from '../../src/browser/index.js'

export function createMessage(conversationId: string, sequence: number): RealtimeMessage {
  return {
    messageId: `${conversationId}-${sequence}`,
    conversationId,
    senderId: 'user-2',
    tenantId: 42,
    content: `message ${sequence}`,
    messageType: 'text',
    timestamp: new Date('2026-01-02T03:04:05.678Z'),
    sequence,
  }
}
