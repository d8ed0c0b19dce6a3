import {
  deadLetterQueueName,
  retryQueueName,
  type WorkQueueName,
  workQueueNames,
  workQueues,
} from '@mono/rascal-config'
import type { Publisher } from './publisher.js'

export interface QueueStats {
  /** Messages ready to be delivered; those in a consumer's hands are not counted. */
  messageCount: number
  consumerCount: number
  /** Messages in the dead-letter queue; 0 if there is no such queue. */
  deadLetterCount: number
  /** Messages that wait in the retry queues to come back; 0 if there is none. */
  retryCount: number
}

const notFound = 404

/** Asks the broker about every work queue. One that does not exist is left out. */
export async function getQueueStats(publisher: Publisher): Promise<Partial<Record<WorkQueueName, QueueStats>>> {
  const entries = await Promise.all(
    workQueueNames.map(async (queue) => [queue, await findStats(publisher, queue)] as const),
  )
  return Object.fromEntries(entries.filter(([, stats]) => stats !== undefined))
}

async function findStats(publisher: Publisher, queue: WorkQueueName): Promise<QueueStats | undefined> {
  const counts = await findCounts(publisher, queue)
  if (counts === undefined) return undefined
  const retryQueues = workQueues[queue].retrySteps.map(({ name }) => retryQueueName(queue, name))
  const [deadLetterCount = 0, ...retryCounts] = await Promise.all(
    [deadLetterQueueName(queue), ...retryQueues].map(async (name) => await countMessages(publisher, name)),
  )
  return { ...counts, deadLetterCount, retryCount: retryCounts.reduce((sum, count) => sum + count, 0) }
}

async function countMessages(publisher: Publisher, queue: string): Promise<number> {
  return (await findCounts(publisher, queue))?.messageCount ?? 0
}

/** On a channel of its own: the broker closes it when the queue does not exist. */
async function findCounts(
  publisher: Publisher,
  queue: string,
): Promise<Pick<QueueStats, 'messageCount' | 'consumerCount'> | undefined> {
  try {
    const { messageCount, consumerCount } = await publisher.withChannel((channel) => channel.checkQueue(queue))
    return { messageCount, consumerCount }
  } catch (error) {
    if ((error as { code?: unknown }).code === notFound) return undefined
    throw error
  }
}
