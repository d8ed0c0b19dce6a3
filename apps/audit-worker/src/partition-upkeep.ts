import type { Logger } from '@mono/message-queue'
import type { Partitions } from './partitions.js'

export interface PartitionUpkeep {
  /** Events in the default partition when they were last counted. */
  readonly inDefault: number
  stop(): void
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/**
 * Makes the partitions that are due, now and once an hour, and counts what the default partition holds once a minute.
 * Resolves after the first time. A failure is logged and no more: the batch that needs a partition asks for it again.
 */
export async function startPartitionUpkeep(
  partitions: Pick<Partitions, 'ensureDue' | 'countInDefault'>,
  logger: Logger,
): Promise<PartitionUpkeep> {
  let inDefault = 0
  const count = async () => {
    try {
      inDefault = await partitions.countInDefault()
    } catch (error) {
      logger.debug({ err: error }, 'The events in the default partition could not be counted')
    }
  }
  const look = async () => {
    try {
      await partitions.ensureDue()
    } catch (error) {
      logger.warn({ err: error }, 'Partitions could not be made ahead')
    }
    await count()
  }
  await look()
  const timers = [setInterval(() => void count(), minuteMs).unref(), setInterval(() => void look(), hourMs).unref()]
  return {
    get inDefault() {
      return inDefault
    },
    stop() {
      for (const timer of timers) clearInterval(timer)
    },
  }
}
