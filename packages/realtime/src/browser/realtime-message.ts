/** A message of a conversation, as it was stored. */
export interface RealtimeMessage {
  messageId: string
  conversationId: string
  /** Id of the user who wrote it. */
  senderId: string
  tenantId: number
  content: string
  /** One of these words. A newer worker may send another one, so a page needs a way to show what it does not know. */
  messageType: 'text' | 'image' | 'file' | 'system' | (string & {})
  /** When it was written, by the sender's clock. */
  timestamp: Date
  /** Place in the conversation: 1, 2, 3 … without gaps. */
  sequence: number
}

const texts = ['messageId', 'conversationId', 'senderId', 'content', 'messageType'] as const

/**
 * Reads what came from outside. Fields that it does not know are left out, because a newer worker may send more.
 *
 * @returns why it is no message of that conversation, if it is none
 */
export function parseMessage(
  value: unknown,
  expected: { conversationId: string; tenantId: number },
): RealtimeMessage | string {
  if (typeof value !== 'object' || value === null) return `expected an object, found ${describe(value)}`
  const fields = value as Record<string, unknown>
  for (const name of texts) {
    if (typeof fields[name] !== 'string') return `${name}: expected a string, found ${describe(fields[name])}`
  }
  if (fields.conversationId !== expected.conversationId) return 'conversationId: it is of another conversation'
  if (fields.tenantId !== expected.tenantId) return `tenantId: expected the token's, found ${describe(fields.tenantId)}`
  const { sequence } = fields
  if (!Number.isSafeInteger(sequence) || Number(sequence) < 1) {
    return `sequence: expected a number from 1 on, found ${describe(sequence)}`
  }
  const timestamp = toDate(fields.timestamp)
  if (timestamp === undefined) return `timestamp: expected a date as ISO 8601, found ${describe(fields.timestamp)}`
  const { messageId, conversationId, senderId, tenantId, content, messageType } = value as RealtimeMessage
  return {
    messageId,
    conversationId,
    senderId,
    tenantId,
    content,
    messageType,
    timestamp,
    sequence: Number(sequence),
  }
}

function toDate(value: unknown): Date | undefined {
  if (typeof value !== 'string' && !(value instanceof Date)) return undefined
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** Only the kind of value, because messages are not for logs. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'another number' : 'a number that is no integer'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
