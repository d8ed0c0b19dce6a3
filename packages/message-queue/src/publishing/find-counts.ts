import type { Publisher } from './publisher.js'

export interface QueueCounts {
  /** Messages ready to be delivered; those in a consumer's hands are not counted. */
  messageCount: number
  consumerCount: number
}

const notFound = 404

/** On a channel of its own, which the broker closes when the queue does not exist. @returns undefined if it does not */
export async function findCounts(publisher: Publisher, queue: string): Promise<QueueCounts | undefined> {
  try {
    const { messageCount, consumerCount } = await publisher.withChannel((channel) => channel.checkQueue(queue))
    return { messageCount, consumerCount }
  } catch (error) {
    if ((error as { code?: unknown }).code === notFound) return undefined
    throw error
  }
}
