import type { Logger } from '@mono/message-queue'
import { toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'
import { makePartition } from './make-partition.js'
import { type Month, toFirstInstant, toMonth, toPartitionName } from './month.js'

export interface Partitions {
  /**
   * Sees to it that each of these months has a partition, if it lies within ten years back and one month ahead; others
   * are for the default partition. A month that cannot have one is left to the default partition until `ensureDue`.
   * @throws DeferError if a partition cannot be made now
   */
  ensure(months: Iterable<Month>): Promise<void>
  /**
   * The same for this month and the next, and for those of which the default partition holds events. Looks at all of them
   * anew, also at those that could not have a partition.
   */
  ensureDue(): Promise<void>
  /** Events in the default partition, counted up to a hundred thousand. */
  countInDefault(): Promise<number>
}

export interface PartitionsOptions {
  database: Database
  logger: Logger
  /** Default: the system's clock. */
  now?: () => Date
}

const monthsBack = 120
const monthsAhead = 1

const findAttached = `
  SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = to_regclass('audit.events') AND relname = ANY ($1)`

/** A count that never takes long. */
const countInDefault = `
  SELECT count(*)::int FROM (SELECT FROM audit.events_default LIMIT 100000) AS counted`

const findInDefault = `
  SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS first_instant
  FROM audit.events_default WHERE occurred_at >= $1 AND occurred_at < $2 ORDER BY 1`

export function createPartitions({ database, logger, now = () => new Date() }: PartitionsOptions): Partitions {
  /** Settled until the next `ensureDue`, or being made: batches are handled side by side. */
  const settled = new Map<Month, Promise<void>>()
  /** Those that are left to the default partition, and why: one warning per process says it. */
  const left = new Map<Month, string>()

  async function make(month: Month): Promise<void> {
    const obstacle = await makePartition(database, month)
    if (left.get(month) === obstacle?.reason) return
    if (obstacle === undefined) {
      left.delete(month)
      return
    }
    left.set(month, obstacle.reason)
    const data = { partition: toPartitionName(month), reason: obstacle.reason, err: obstacle.error }
    logger.warn(data, 'Events of this month are left to the default partition')
  }

  function ensureMonth(month: Month): Promise<void> {
    const made = settled.get(month)
    if (made !== undefined) return made
    const making = make(month).catch((error: unknown) => {
      settled.delete(month)
      throw error
    })
    settled.set(month, making)
    return making
  }

  /** Months that are over may be dropped by others: those that are not there any more are not settled. */
  async function forgetDropped(months: readonly Month[], current: Month): Promise<void> {
    const over = months.filter((month) => month < current && settled.has(month) && !left.has(month))
    if (over.length === 0) return
    await Promise.all(over.map((month) => settled.get(month)))
    const { rows } = await database.query(findAttached, [over.map(toPartitionName)]).catch((error: unknown) => {
      throw toDatabaseError(error)
    })
    const attached = new Set((rows as { name: string }[]).map(({ name }) => name))
    for (const month of over) if (!attached.has(toPartitionName(month))) settled.delete(month)
  }

  async function ensure(months: Iterable<Month>): Promise<void> {
    const current = toMonth(now())
    const wanted = [...new Set(months)].filter(
      (month) => month >= current - monthsBack && month <= current + monthsAhead,
    )
    await forgetDropped(wanted, current)
    for (const month of wanted) await ensureMonth(month)
  }

  return {
    ensure,
    async ensureDue() {
      const current = toMonth(now())
      settled.clear()
      await ensure([current, current + 1])
      const { rows } = await database.query(findInDefault, [
        toFirstInstant(current - monthsBack),
        toFirstInstant(current + monthsAhead + 1),
      ])
      await ensure((rows as { first_instant: Date }[]).map((row) => toMonth(row.first_instant)))
    },
    async countInDefault() {
      const [row] = (await database.query(countInDefault)).rows as { count: number }[]
      return row?.count ?? 0
    },
  }
}
