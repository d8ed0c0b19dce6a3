import { sleep } from '@mono/waiting'
import type { Consumer } from '../consuming/consumer.js'
import type { SettledEvent } from '../consuming/settling/settled-event.js'
import type { Logger } from '../logger.js'
import { findCounts } from '../publishing/find-counts.js'
import type { Publisher } from '../publishing/publisher.js'

export interface DrainQueueOptions {
  publisher: Publisher
  logger: Logger
  /** The queue to be consumed. Nobody else may consume it. */
  source: string
  /** Queues whose messages come to it by themselves. One that does not exist is empty. */
  feeders?: readonly string[]
  /** It may not count as empty before this time, by `performance.now()`. */
  notBefore?: number
  consume(source: string, onSettled: (event: SettledEvent) => void): Promise<Consumer>
}

const lookEveryMs = 200
/** Longer than a message takes from one queue to the next, or to a consumer. Nothing counts it meanwhile. */
const quietMs = 3_000
const tellEveryMs = 10_000

/** Consumes a queue until nothing is in it, on its way to it, or in hand. */
export async function drainQueue(options: DrainQueueOptions): Promise<void> {
  const { consume, logger, publisher, source, feeders = [] } = options
  let messages = 0
  const onSettled = ({ isInHand }: SettledEvent) => {
    if (!isInHand) messages += 1
  }
  for (let isEmpty = false; !isEmpty; ) {
    const consumer = await consume(source, onSettled)
    try {
      await untilQuiet(options, consumer, () => messages)
    } finally {
      // Only when its channel is closed has the broker taken its acks.
      await consumer.drain()
    }
    isEmpty = (await countWaiting(publisher, [source, ...feeders])) === 0
  }
  logger.info({ source, messages }, 'The queue is drained')
}

async function untilQuiet(
  { feeders = [], logger, notBefore = 0, publisher, source }: DrainQueueOptions,
  consumer: Consumer,
  countMessages: () => number,
): Promise<void> {
  let quietSince = performance.now()
  let toldAt = quietSince
  for (;;) {
    await sleep(lookEveryMs)
    const waiting = await countWaiting(publisher, [source, ...feeders]).catch((error: unknown) => {
      // The connection comes back by itself, and the client says so.
      logger.debug({ err: error }, 'The queue could not be looked at')
      return undefined
    })
    const now = performance.now()
    if (waiting !== 0 || consumer.inFlight > 0) quietSince = now
    if (now - quietSince >= quietMs && now >= notBefore) return
    if (now - toldAt < tellEveryMs) continue
    toldAt = now
    logger.info(
      { source, messages: countMessages(), waiting, inFlight: consumer.inFlight },
      'The queue is being drained',
    )
  }
}

async function countWaiting(publisher: Publisher, queues: readonly string[]): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => findCounts(publisher, queue)))
  return counts.reduce((sum, found) => sum + (found?.messageCount ?? 0), 0)
}
