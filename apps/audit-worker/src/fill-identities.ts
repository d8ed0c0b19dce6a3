import type { Logger } from '@mono/message-queue'
import type { Database } from './database.js'

interface Filled {
  partition: string
  events: string
  identities: string
}

/** The limits hold for a worker's statements; these may take as long as they need. */
const begin = `
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL statement_timeout = 0;
  SET LOCAL client_connection_check_interval = '500ms';
  SELECT pg_advisory_xact_lock(hashtext('audit.event_identities'), 0)`

/**
 * Asked of the catalog itself: `to_regclass` goes by what the session remembers of it, which a lock that is not a table's
 * does not renew, and so may find the table after another process has renamed it.
 */
const isFilling = `
  SELECT EXISTS (
    SELECT FROM pg_class WHERE relname = 'event_identities_filling' AND relnamespace = 'audit'::regnamespace
  ) AS filling`

/** The default partition comes last, as its events may be of any time. */
const findNext = `
  SELECT relid::regclass::text AS partition FROM pg_partition_tree('audit.events')
  WHERE isleaf AND relid::regclass::text NOT IN (SELECT partition FROM audit.event_identities_filling)
  ORDER BY relid = 'audit.events_default'::regclass, 1 LIMIT 1`

/** `xmax` is 0 of a row that was inserted, not updated. */
const fillFrom = (partition: string) => `
  WITH earliest AS (
    SELECT tenant_id, event_id, min(occurred_at) AS occurred_at, count(*) AS events FROM ${partition} GROUP BY 1, 2
  ), identified AS (
    INSERT INTO audit.event_identities (tenant_id, event_id, occurred_at)
    SELECT tenant_id, event_id, occurred_at FROM earliest
    ON CONFLICT (tenant_id, event_id) DO UPDATE SET occurred_at = excluded.occurred_at
    WHERE excluded.occurred_at < event_identities.occurred_at
    RETURNING xmax = 0 AS is_new
  )
  INSERT INTO audit.event_identities_filling (partition, events, identities)
  SELECT $1, (SELECT coalesce(sum(events), 0) FROM earliest), (SELECT count(*) FROM identified WHERE is_new)
  RETURNING partition, events, identities`

/**
 * Gives each event that was recorded before there were identities its own, by the earliest time where it was recorded with
 * several. One partition after the other, each in a transaction: may be interrupted at any point and called again, also by
 * several processes at once. Does nothing once all is filled.
 *
 * Nothing may insert events without identities meanwhile: the migration before has seen to that.
 *
 * @param client a single connection
 */
export async function fillIdentities(client: Database, logger: Logger): Promise<void> {
  for (;;) {
    const filled = await inTransaction(client, () => fillNext(client))
    if (filled === undefined) break
    if (filled.events !== '0') logger.info({ ...filled }, 'Identities of recorded events were made')
  }
  const totals = await inTransaction(client, () => finish(client))
  if (totals === undefined || totals.double === '0') return
  logger.warn({ ...totals }, 'Events were recorded several times under one id, with different times; all of them stay')
}

async function inTransaction<T>(client: Database, work: () => Promise<T>): Promise<T> {
  await client.query(begin)
  const result = await work()
  await client.query('COMMIT')
  return result
}

async function fillNext(client: Database): Promise<Filled | undefined> {
  if (!(await needsFilling(client))) return undefined
  const [next] = (await client.query(findNext)).rows as { partition: string }[]
  if (next === undefined) return undefined
  const [filled] = (await client.query(fillFrom(next.partition), [next.partition])).rows as Filled[]
  return filled
}

/** Says that all is filled, and counts what is there several times. */
async function finish(client: Database): Promise<{ events: string; double: string } | undefined> {
  if (!(await needsFilling(client))) return undefined
  await client.query('ANALYZE audit.event_identities')
  const { rows } = await client.query(
    'SELECT sum(events) AS events, sum(events - identities) AS double FROM audit.event_identities_filling',
  )
  await client.query('ALTER TABLE audit.event_identities_filling RENAME TO event_identities_filled')
  return (rows as { events: string; double: string }[])[0]
}

async function needsFilling(client: Database): Promise<boolean> {
  const [row] = (await client.query(isFilling)).rows as { filling: boolean }[]
  return row?.filling ?? false
}
