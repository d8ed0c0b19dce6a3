import {
  migratingQueueName,
  migratingQueueOf,
  retryExchangeName,
  retryQueueName,
  type TopologyMode,
  type WorkQueueName,
  workQueues,
} from '@mono/rascal-config'
import { sleep } from '@mono/waiting'
import { declareTopology } from '../consuming/rascal/declare-topology.js'
import { TopologyMismatchError } from '../errors/topology-mismatch-error.js'
import type { Logger } from '../logger.js'
import { findCounts } from '../publishing/find-counts.js'
import type { Publisher } from '../publishing/publisher.js'
import { type DrainQueueOptions, drainQueue } from './drain-queue.js'

export interface Migration {
  queue: WorkQueueName
  publisher: Publisher
  logger: Logger
  urls: readonly string[]
  connectionName: string
  topologyMode: TopologyMode
  /** How long, in milliseconds, a consumer that has been told to stop may go on with what it has. */
  graceMs: number
  consume: DrainQueueOptions['consume']
}

/** The consumers of a process that was killed are gone by then. */
const leavingMs = 5_000
const lookEveryMs = 200

/**
 * Replaces a work queue that exists with other arguments by one as it is wanted, while it is published to, without losing
 * a message or bringing two of a publisher out of order. Another queue takes its place meanwhile. What is old is consumed
 * first, always: new messages go to the next queue before the one before it is left, so that some are in both for a moment,
 * which a handler has to bear.
 *
 * An interrupted migration is run again: what is there tells how far it came, and each step may be done twice.
 *
 * @throws Error if somebody consumes the queue
 */
export async function migrateQueue(migration: Migration): Promise<void> {
  const { logger, publisher, queue } = migration
  const mismatch = await findMismatch(migration)
  if (mismatch !== undefined) {
    const { argument, found, wanted } = mismatch
    logger.info({ queue, argument, found, wanted }, 'The queue has other arguments and is to be made anew')
    await removeOld(migration)
    await declareTopology({ ...migration, signal: new AbortController().signal })
    logger.info({ queue }, 'The queue is declared anew, and gets new messages')
  } else {
    logger.info({ queue }, 'The queue is as it is wanted')
    await removeRetries(migration)
  }
  const standsIn = (await findCounts(publisher, migratingQueueName(queue))) !== undefined
  if (standsIn) await removeStandIn(migration)
}

/** Declares the queue as it is wanted. @returns what differs if it exists otherwise */
async function findMismatch(migration: Migration): Promise<TopologyMismatchError | undefined> {
  try {
    await declareTopology({ ...migration, signal: new AbortController().signal })
    return undefined
  } catch (error) {
    if (error instanceof TopologyMismatchError && error.queue === migration.queue) return error
    throw error
  }
}

async function removeOld(migration: Migration): Promise<void> {
  const { graceMs, logger, publisher, queue } = migration
  await untilUnconsumed(migration)
  // A consumer that stops is cancelled first; what it still holds nobody counts, and it would be deleted with the queue.
  const notBefore = performance.now() + graceMs
  await divertMessages(migration)
  await drainQueue({ ...migration, source: queue, feeders: retryQueuesOf(queue), notBefore })
  await untilUnconsumed(migration)
  const areRemoved = await removeRetries(migration)
  if (!areRemoved) throw new Error(`Messages have come to the retry queues of ${queue}. Run this again.`)
  await publisher.withChannel((channel) => channel.deleteQueue(queue))
  logger.info({ queue }, 'The old queue is deleted')
}

/** @throws Error if there are consumers, and they stay */
async function untilUnconsumed({ logger, publisher, queue }: Migration): Promise<void> {
  const deadline = performance.now() + leavingMs
  for (;;) {
    const { consumerCount = 0 } = (await findCounts(publisher, queue)) ?? {}
    if (consumerCount === 0) break
    if (performance.now() > deadline) {
      throw new Error(`${queue} is being consumed (consumers: ${consumerCount}). Stop all its workers first.`)
    }
    await sleep(lookEveryMs)
  }
  logger.info({ queue }, 'Nobody consumes the queue')
}

/** From the old queue to one that stands in. */
async function divertMessages({ logger, publisher, queue }: Migration): Promise<void> {
  const { exchange, bindingKey } = workQueues[queue]
  const { name: standIn, ...options } = migratingQueueOf(workQueues[queue])
  await publisher.withChannel(async (channel) => {
    await channel.assertQueue(standIn, options)
    await channel.bindQueue(standIn, exchange, bindingKey)
    await channel.unbindQueue(queue, exchange, bindingKey)
  })
  logger.info({ queue, standIn }, 'New messages go to the queue that stands in')
}

/** The work queue is bound by now. */
async function removeStandIn(migration: Migration): Promise<void> {
  const { logger, publisher, queue } = migration
  const { exchange, bindingKey } = workQueues[queue]
  const standIn = migratingQueueName(queue)
  await publisher.withChannel((channel) => channel.unbindQueue(standIn, exchange, bindingKey))
  logger.info({ queue, standIn }, 'New messages go to the queue only')
  await drainQueue({ ...migration, source: standIn })
  await publisher.withChannel((channel) => channel.deleteQueue(standIn))
  logger.info({ queue, standIn }, 'The queue that stood in is deleted')
}

/**
 * A queue that keeps its order has none. One that holds messages is left, with the exchange that it needs.
 *
 * @returns whether none is left
 */
async function removeRetries({ logger, publisher, queue }: Migration): Promise<boolean> {
  const names = retryQueuesOf(queue)
  const counts = await Promise.all(names.map((name) => findCounts(publisher, name)))
  const left = names.filter((_, index) => (counts[index]?.messageCount ?? 0) > 0)
  const empty = names.filter((_, index) => counts[index]?.messageCount === 0)
  for (const name of empty) await publisher.withChannel((channel) => channel.deleteQueue(name))
  if (empty.length > 0) logger.info({ queue, retryQueues: empty }, 'The retry queues are deleted')
  if (left.length > 0) logger.warn({ queue, retryQueues: left }, 'Retry queues that nobody uses hold messages')
  else await publisher.withChannel((channel) => channel.deleteExchange(retryExchangeName(queue)))
  return left.length === 0
}

function retryQueuesOf(queue: WorkQueueName): string[] {
  return workQueues[queue].retrySteps.map(({ name }) => retryQueueName(queue, name))
}
