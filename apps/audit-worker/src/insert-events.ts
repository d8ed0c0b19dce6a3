import type { Database } from './database.js'

/** Inserts events with their identities, and resolves with how many of them were new. */
export type InsertEvents = (columns: unknown[]) => Promise<number>

/**
 * Two statements of two processes that hold the same ids wait for each other's, so they must insert them in one order:
 * all identities before the first event, and each in the order of the arrays.
 *
 * Times travel as text with their offset: pg writes a Date in the process's time zone, which for old dates is off by
 * seconds.
 */
const insertIdentities = `
  INSERT INTO audit.event_identities (tenant_id, event_id, occurred_at)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[])`

const insertEvents = `
  INSERT INTO audit.events
    (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key, recorded_at)
  SELECT sent.*, now() FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::jsonb[], $9::text[])
    AS sent (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key)`

/** All or none. PostgreSQL takes a quarter less time for a row if it need not look first whether the row is there. */
const insertAllStatement = `
  WITH identified AS (${insertIdentities} RETURNING 1)
  ${insertEvents} WHERE (SELECT count(*) FROM identified) > 0`

const insertNewStatement = `
  WITH identified AS (${insertIdentities} ON CONFLICT DO NOTHING RETURNING tenant_id, event_id)
  ${insertEvents} JOIN identified USING (tenant_id, event_id) ON CONFLICT DO NOTHING`

/** A sender of known events mostly sends more of them. */
const expectKnownMs = 10_000
const uniqueViolation = '23505'

/** Expects all events to be new, unless some were not a short while ago. */
export function createInsertEvents(database: Database): InsertEvents {
  let expectKnownUntil = Number.NEGATIVE_INFINITY

  const insert = async (statement: string, columns: unknown[]) => {
    const { rowCount } = await database.query(statement, columns)
    return rowCount ?? 0
  }

  return async (columns) => {
    if (performance.now() > expectKnownUntil) {
      try {
        return await insert(insertAllStatement, columns)
      } catch (error) {
        if ((error as { code?: unknown }).code !== uniqueViolation) throw error
        expectKnownUntil = performance.now() + expectKnownMs
      }
    }
    return await insert(insertNewStatement, columns)
  }
}
