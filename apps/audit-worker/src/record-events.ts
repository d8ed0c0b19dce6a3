import type { AuditRow } from './audit-row.js'
import type { Database } from './database.js'
import type { InsertEvents } from './insert-events.js'

/** An event that is not recorded, since another one has its id. */
export interface Difference {
  row: AuditRow
  /** The fields in which they differ; none if the other one was there and, looked at again, was not. */
  fields: readonly string[]
}

/**
 * Compares what was sent with what is recorded, and gives those that differ. Before there were identities, an id could be
 * recorded with several times: then the one with the time that was sent counts.
 *
 * The limits make PostgreSQL look up each row by itself, in one partition, however many there are. A time is looked for as
 * a range, which PostgreSQL expects to hold many rows: it would else take an index without the id for as good as the
 * primary key, and go through all the events of one import that have the same time.
 */
const compareStatement = `
  SELECT place::int, fields FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::jsonb[], $9::text[]) WITH ORDINALITY
    AS sent (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key, place)
  LEFT JOIN LATERAL (
    SELECT occurred_at FROM audit.event_identities
    WHERE tenant_id = sent.tenant_id AND event_id = sent.event_id LIMIT 1
  ) AS identity ON true
  LEFT JOIN LATERAL (
    SELECT occurred_at FROM audit.events
    WHERE identity.occurred_at <> sent.occurred_at
    AND tenant_id = sent.tenant_id AND event_id = sent.event_id
    AND occurred_at BETWEEN sent.occurred_at AND sent.occurred_at LIMIT 1
  ) AS with_time ON true
  LEFT JOIN LATERAL (
    SELECT * FROM audit.events
    WHERE tenant_id = sent.tenant_id AND event_id = sent.event_id
    AND occurred_at BETWEEN coalesce(with_time.occurred_at, identity.occurred_at)
      AND coalesce(with_time.occurred_at, identity.occurred_at) LIMIT 1
  ) AS recorded ON true
  CROSS JOIN LATERAL (
    SELECT array_remove(ARRAY[
      CASE WHEN recorded.event_type <> sent.event_type THEN 'eventType' END,
      CASE WHEN recorded.user_id <> sent.user_id THEN 'userId' END,
      CASE WHEN recorded.entity_type <> sent.entity_type THEN 'entityType' END,
      CASE WHEN recorded.entity_id <> sent.entity_id THEN 'entityId' END,
      CASE WHEN recorded.changes <> sent.changes THEN 'changes' END,
      CASE WHEN recorded.routing_key <> sent.routing_key THEN 'routing key' END,
      CASE WHEN recorded.occurred_at <> sent.occurred_at THEN 'timestamp' END
    ], NULL) AS fields
  ) AS differing
  WHERE recorded.occurred_at IS NULL OR fields <> '{}'`

/**
 * Gives up identities whose events are not there, because their month was dropped or somebody has deleted them. In the
 * order of the ids, as they are inserted: two processes may hold the same.
 */
const forgetStatement = `
  WITH gone AS (
    SELECT tenant_id, event_id FROM audit.event_identities AS identity
    JOIN unnest($1::bigint[], $2::text[]) AS sent (tenant_id, event_id) USING (tenant_id, event_id)
    WHERE (
      SELECT true FROM audit.events AS recorded
      WHERE recorded.tenant_id = identity.tenant_id AND recorded.event_id = identity.event_id
      AND recorded.occurred_at BETWEEN identity.occurred_at AND identity.occurred_at LIMIT 1
    ) IS NULL
    ORDER BY event_id, tenant_id
    FOR UPDATE OF identity
  )
  DELETE FROM audit.event_identities USING gone
  WHERE event_identities.tenant_id = gone.tenant_id AND event_identities.event_id = gone.event_id`

/**
 * Records the events whose ids are new, and resolves with those that another event with their id keeps from being recorded.
 * An event that is there already is neither recorded nor different. One that was recorded, and is no longer there, is new.
 *
 * The statements need no transaction around them. What the first has recorded is recorded, and begun again after it, the
 * second finds the same; so nothing is locked while PostgreSQL waits for this process.
 *
 * @param rows in the order of their ids; those of an id, in the order given, are those of one event
 */
export async function recordEvents(
  database: Database,
  insert: InsertEvents,
  rows: readonly AuditRow[],
): Promise<Difference[]> {
  const found = await recordNew(database, insert, rows)
  const gone = found.filter(({ fields }) => fields.length === 0).map(({ row }) => row)
  if (gone.length === 0) return found
  const firsts = toFirsts(gone)
  await database.query(forgetStatement, toColumns(firsts).slice(0, 2))
  return [...found.filter(({ fields }) => fields.length > 0), ...(await recordNew(database, insert, gone))]
}

async function recordNew(database: Database, insert: InsertEvents, rows: readonly AuditRow[]): Promise<Difference[]> {
  const inserted = await insert(toColumns(toFirsts(rows)))
  if (inserted === rows.length) return []
  const { rows: found } = await database.query(compareStatement, toColumns(rows))
  return (found as { place: number; fields: string[] }[]).flatMap(({ place, fields }) => {
    const row = rows[place - 1]
    return row ? [{ row, fields }] : []
  })
}

/** Keeps the first of several rows with one id. */
function toFirsts(rows: readonly AuditRow[]): AuditRow[] {
  return rows.filter((row, index) => !hasSameId(row, rows[index - 1]))
}

function hasSameId(row: AuditRow, other: AuditRow | undefined): boolean {
  return row.eventId === other?.eventId && row.tenantId === other.tenantId
}

function toColumns(rows: readonly AuditRow[]): unknown[] {
  return [
    rows.map(({ tenantId }) => tenantId),
    rows.map(({ eventId }) => eventId),
    rows.map(({ occurredAt }) => occurredAt.toISOString()),
    rows.map(({ eventType }) => eventType),
    rows.map(({ userId }) => userId),
    rows.map(({ entityType }) => entityType),
    rows.map(({ entityId }) => entityId),
    rows.map(({ changes }) => changes),
    rows.map(({ routingKey }) => routingKey),
  ]
}
