import { type WorkQueueName, workQueueNames } from '@mono/rascal-config'
import type { Publisher } from './publisher.js'

export interface QueueStats {
  /** Messages ready to be delivered; those in a consumer's hands are not counted. */
  messageCount: number
  consumerCount: number
}

const notFound = 404

/** Asks the broker about every work queue. One that does not exist is left out. */
export async function getQueueStats(publisher: Publisher): Promise<Partial<Record<WorkQueueName, QueueStats>>> {
  const entries = await Promise.all(workQueueNames.map((queue) => findStats(publisher, queue)))
  return Object.fromEntries(entries.filter((entry) => entry !== undefined))
}

/** A channel of its own for each: the broker closes it when the queue does not exist. */
async function findStats(publisher: Publisher, queue: WorkQueueName): Promise<[WorkQueueName, QueueStats] | undefined> {
  try {
    const { messageCount, consumerCount } = await publisher.withChannel((channel) => channel.checkQueue(queue))
    return [queue, { messageCount, consumerCount }]
  } catch (error) {
    if ((error as { code?: unknown }).code === notFound) return undefined
    throw error
  }
}
