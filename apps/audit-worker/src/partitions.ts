import { DeferError, type Logger } from '@mono/message-queue'
import { toDatabaseError } from '@mono/worker-runtime'
import type { Database } from './database.js'
import { type Month, toFirstInstant, toMonth, toPartitionName } from './month.js'

export interface Partitions {
  /**
   * Sees to it that each of these months has a partition, if it lies within ten years back and one month ahead; others
   * are for the default partition.
   * @throws DeferError if a partition cannot be made now
   */
  ensure(months: Iterable<Month>): Promise<void>
  /** The same for this month and the next. */
  ensureAhead(): Promise<void>
}

export interface PartitionsOptions {
  database: Database
  logger: Logger
  /** Default: the system's clock. */
  now?: () => Date
}

const monthsBack = 120
const monthsAhead = 1

export function createPartitions({ database, logger, now = () => new Date() }: PartitionsOptions): Partitions {
  /** Settled for this process, or being made: batches are handled side by side. */
  const known = new Map<Month, Promise<void>>()

  async function make(month: Month): Promise<void> {
    try {
      await database.query(createStatement(month))
    } catch (error) {
      const reason = obstacles[codeOf(error)]
      if (!reason) throw toPartitionError(error)
      const partition = toPartitionName(month)
      logger.warn({ partition, reason, err: error }, 'Events of this month are left to the default partition')
    }
  }

  function ensureMonth(month: Month): Promise<void> {
    const made = known.get(month)
    if (made !== undefined) return made
    const making = make(month).catch((error: unknown) => {
      known.delete(month)
      throw error
    })
    known.set(month, making)
    return making
  }

  async function ensure(months: Iterable<Month>): Promise<void> {
    const current = toMonth(now())
    for (const month of new Set(months)) {
      if (month >= current - monthsBack && month <= current + monthsAhead) await ensureMonth(month)
    }
  }

  return {
    ensure,
    async ensureAhead() {
      const current = toMonth(now())
      await ensure([current, current + 1])
    },
  }
}

/**
 * One statement, so one transaction: under the lock only one of any number of workers makes the partition, the others
 * find it. `CREATE TABLE … PARTITION OF` would wait for every open insert; attaching waits only for those who use the
 * default partition, because it must look there for rows of the month. They get five seconds.
 */
function createStatement(month: Month): string {
  const name = `audit.${toPartitionName(month)}`
  return `
    DO $$
    BEGIN
      PERFORM set_config('lock_timeout', '5s', true);
      PERFORM pg_advisory_xact_lock(hashtext('audit.events'), 0);
      IF EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'audit.events'::regclass AND inhrelid = to_regclass('${name}')
      ) THEN
        RETURN;
      END IF;
      CREATE TABLE ${name} (LIKE audit.events INCLUDING ALL);
      ALTER TABLE audit.events ATTACH PARTITION ${name}
        FOR VALUES FROM ('${toFirstInstant(month)}') TO ('${toFirstInstant(month + 1)}');
    END
    $$`
}

/** Why a month cannot have its partition until somebody has tidied up, by SQLSTATE. */
const obstacles: Record<string, string> = {
  '23514': 'the default partition already holds events of it',
  '42P07': 'a table of that name exists and is not attached',
  '42P17': 'another partition covers a part of it',
}

function toPartitionError(error: unknown): Error {
  if (codeOf(error) !== '55P03') return toDatabaseError(error)
  return new DeferError('The default partition is locked, so the partition for an event could not be made', {
    code: 'DATABASE_UNAVAILABLE',
    cause: error,
  })
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code)
}
