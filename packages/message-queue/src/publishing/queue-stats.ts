import { deadLetterQueueName, retryQueueNames, type WorkQueueName, workQueueNames } from '@mono/rascal-config'
import { findCounts, type QueueCounts } from './find-counts.js'
import type { Publisher } from './publisher.js'

export interface QueueStats extends QueueCounts {
  /** Messages in the dead-letter queue; 0 if there is no such queue. */
  deadLetterCount: number
  /** Messages that wait in the retry queues to come back; 0 if there is none. */
  retryCount: number
}

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
  // Only those that there are: a user without rights on a queue is refused, whether it exists or not.
  const [deadLetterCount = 0, ...retryCounts] = await Promise.all(
    [deadLetterQueueName(queue), ...retryQueueNames(queue)].map(async (name) => await countMessages(publisher, name)),
  )
  return { ...counts, deadLetterCount, retryCount: retryCounts.reduce((sum, count) => sum + count, 0) }
}

async function countMessages(publisher: Publisher, queue: string): Promise<number> {
  return (await findCounts(publisher, queue))?.messageCount ?? 0
}
