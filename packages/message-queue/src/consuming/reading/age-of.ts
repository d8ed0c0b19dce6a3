import type { ReceivedMessage } from './received-message.js'

/**
 * For how long nothing has been done about a message, in milliseconds: since it was published, or since a part of the work
 * was done. When that is longer than its queue's TTL, it expires.
 */
export function ageOf({ progressAt, publishedAt }: Pick<ReceivedMessage, 'progressAt' | 'publishedAt'>): number {
  return Date.now() - Math.max(publishedAt.getTime(), progressAt?.getTime() ?? 0)
}
