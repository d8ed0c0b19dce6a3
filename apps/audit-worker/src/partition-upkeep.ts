import type { Logger } from '@mono/message-queue'
import type { Partitions } from './partitions.js'

export interface PartitionUpkeep {
  stop(): void
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * Makes the partitions of this month and the next, now and once a day. Resolves after the first time. A failure is
 * logged and no more: the batch that needs a partition asks for it again.
 */
export async function startPartitionUpkeep(
  partitions: Pick<Partitions, 'ensureAhead'>,
  logger: Logger,
): Promise<PartitionUpkeep> {
  const look = async () => {
    try {
      await partitions.ensureAhead()
    } catch (error) {
      logger.warn({ err: error }, 'Partitions could not be made ahead')
    }
  }
  await look()
  const timer = setInterval(() => void look(), dayMs).unref()
  return { stop: () => clearInterval(timer) }
}
