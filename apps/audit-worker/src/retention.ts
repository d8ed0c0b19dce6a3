import { randomUUID } from 'node:crypto'
import type { Logger } from '@mono/message-queue'
import { sleep } from '@mono/waiting'
import type { Database } from './database.js'
import { dropStatement } from './drop-month.js'
import { type Month, toFirstInstant, toMonth, toPartitionName } from './month.js'

/** A pool that lends out connections for transactions of our own. */
export interface RetentionDatabase extends Database {
  connect(): Promise<Database & { release(broken?: boolean): void }>
}

export interface RetentionOptions {
  database: RetentionDatabase
  logger: Logger
  /** Whole months before this many are dropped. */
  months: number
  /** Ends it between two steps. */
  signal: AbortSignal
  /** Default: the system's clock. */
  now?: () => Date
}

/** Longer than any step takes. */
const begin = `
  BEGIN;
  SET LOCAL statement_timeout = '10min';
  SET LOCAL client_connection_check_interval = '1s'`

const takeLease = `
  UPDATE audit.retention SET holder = $1, lease_until = now() + interval '15 min'
  WHERE id IN (SELECT id FROM audit.retention WHERE holder = $1 OR lease_until < now() FOR UPDATE SKIP LOCKED)
  RETURNING swept_before`

const giveBack = "UPDATE audit.retention SET lease_until = '-infinity' WHERE holder = $1"

const findAttached = `
  SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = 'audit.events'::regclass AND relname ~ '^events_[0-9]{4}_[0-9]{2}$' ORDER BY 1`

/** The whole of a month that was dropped before holds nothing else. */
const hasDue = (name: string) => `
  SELECT NOT EXISTS (SELECT FROM audit.${name})
    OR EXISTS (SELECT FROM audit.${name} WHERE routing_key <> 'audit.compliance') AS due`

/** Each identity is looked up by itself: PostgreSQL would else read all events for it. */
const sweepStep = `
  WITH page AS (
    SELECT tenant_id, event_id, occurred_at FROM audit.event_identities
    WHERE (tenant_id, event_id) > ($1::bigint, $2::text) ORDER BY 1, 2 LIMIT 10000
  ), deleted AS (
    DELETE FROM audit.event_identities AS identity USING page
    WHERE page.occurred_at < $3 AND identity.tenant_id = page.tenant_id AND identity.event_id = page.event_id
    AND (
      SELECT true FROM audit.events
      WHERE tenant_id = page.tenant_id AND event_id = page.event_id
      AND occurred_at BETWEEN page.occurred_at AND page.occurred_at LIMIT 1
    ) IS NULL
    RETURNING 1
  )
  SELECT tenant_id, event_id, (SELECT count(*)::int FROM deleted) AS deleted
  FROM page ORDER BY 1 DESC, 2 DESC LIMIT 1`

const pauseMs = 100

/**
 * Drops the months before the retention, but for their compliance events, and then the identities of events that are not
 * there any more. Any number of processes may call it at once, and be killed at any time: one at a time holds a lease, and
 * each step is a transaction.
 *
 * @returns false if not all is done: somebody else is at it, a table was in use, or the signal was aborted
 */
export async function keepToRetention(options: RetentionOptions): Promise<boolean> {
  const { database, logger, months, signal, now = () => new Date() } = options
  const holder = randomUUID()
  const oldest = toMonth(now()) - months

  /** In a transaction that has the lease; undefined if somebody else has it. */
  async function step<T>(work: (client: Database, sweptBefore: Date | number) => Promise<T>): Promise<T | undefined> {
    if (signal.aborted) return undefined
    const client = await database.connect()
    let broken = true
    try {
      await client.query(begin)
      const [lease] = (await client.query(takeLease, [holder])).rows as { swept_before: Date | number }[]
      const result = lease && (await work(client, lease.swept_before))
      await client.query('COMMIT')
      broken = false
      return result
    } finally {
      client.release(broken)
    }
  }

  try {
    const due = await step((client) => findDue(client, oldest))
    if (due === undefined) return false
    if (due.length > 0) {
      logger.info({ partitions: due.map(toPartitionName), months }, 'Months before the retention are dropped')
    }
    let areDropped = true
    for (const month of due) areDropped = (await drop(month)) && areDropped
    return areDropped && (await sweep())
  } finally {
    // It ends by itself.
    await database.query(giveBack, [holder]).catch(() => undefined)
  }

  async function drop(month: Month): Promise<boolean> {
    const partition = toPartitionName(month)
    try {
      const dropped = await step((client) => client.query(dropStatement(month)))
      return dropped !== undefined
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ partition, err: error }, 'A month could not be dropped; tried again in an hour')
      return false
    }
  }

  async function sweep(): Promise<boolean> {
    const before = toFirstInstant(oldest)
    const isSwept = await step(async (_, sweptBefore) => sweptBefore >= new Date(before))
    if (isSwept !== false) return isSwept ?? false
    let last = { tenant_id: '-9223372036854775808', event_id: '', deleted: 0 }
    let deleted = 0
    for (;;) {
      const { tenant_id, event_id } = last
      const rows = await step(async (client) => (await client.query(sweepStep, [tenant_id, event_id, before])).rows)
      if (rows === undefined) return false
      const [next] = rows as (typeof last)[]
      if (next === undefined) break
      last = next
      deleted += next.deleted
      await sleep(pauseMs)
    }
    await step((client) => client.query('UPDATE audit.retention SET swept_before = $1', [before]))
    logger.info({ deleted, before }, 'Identities of events that are not there any more were deleted')
    return true
  }
}

async function findDue(client: Database, oldest: Month): Promise<Month[]> {
  const { rows } = await client.query(findAttached)
  const due: Month[] = []
  for (const { name } of rows as { name: string }[]) {
    const month = toMonth(new Date(`${name.slice(7).replace('_', '-')}-01T00:00:00Z`))
    if (month >= oldest) continue
    const [found] = (await client.query(hasDue(name))).rows as { due: boolean }[]
    if (found?.due) due.push(month)
  }
  return due
}
