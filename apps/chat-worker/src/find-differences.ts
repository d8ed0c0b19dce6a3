import type { ChatMessage } from '@mono/contracts'

const comparedFields = ['conversationId', 'senderId', 'content', 'messageType', 'timestamp'] as const

/** The names of the fields in which two messages with the same id differ; none if they are the same message. */
export function findDifferences(one: ChatMessage, other: ChatMessage): string[] {
  return comparedFields.filter((field) => toComparable(one[field]) !== toComparable(other[field]))
}

function toComparable(value: string | Date): string | number {
  return value instanceof Date ? value.getTime() : value
}
