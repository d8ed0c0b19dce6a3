import { isFinished } from './ensure-finished-index.js'
import { leaseName } from './retention-lease.js'
import type { LedgerRetentionOptions, RetentionPace } from './retention-options.js'

export interface DeletionStep {
  /** False if the lease has passed to another process: nothing was deleted then. */
  isHeld: boolean
  deleted: number
  /** Where the next step begins: what lies before is deleted, and only its remains in the index are still there. */
  cursor: string
}

export interface FinishedRows {
  /** Those that are due; only estimated if there are many. */
  count(): Promise<{ rows: number; isEstimate: boolean }>
  /** Deletes the oldest that are due, and renews the lease. */
  deleteStep(cursor: string): Promise<DeletionStep>
}

/** The cursor of the first step. */
export const fromTheFirst = '-infinity'

/** So many are counted one by one. */
const countLimit = 10_000

export function createFinishedRows(
  { pool, table, days }: Pick<LedgerRetentionOptions, 'pool' | 'table' | 'days'>,
  { stepRows, leaseMs }: RetentionPace,
  holder: string,
): FinishedRows {
  const [schema] = table.split('.')
  const isDue = (daysParameter: string) =>
    `${isFinished} AND updated_at < now() - ${daysParameter}::int * interval '1 day'`
  const countSql = `SELECT count(*)::int AS rows FROM (SELECT FROM ${table} WHERE ${isDue('$1')} LIMIT $2::int) AS due`
  const estimateSql = `EXPLAIN (FORMAT JSON) SELECT FROM ${table} WHERE ${isDue(String(days))}`
  // Rows that a claim has locked are left for the next time, so neither waits for the other.
  const stepSql = `
    WITH held AS (
      UPDATE ${schema}.leases SET lease_until = now() + $3::float8 * interval '1 millisecond'
      WHERE name = $1 AND holder = $2 AND lease_until > now()
      RETURNING 1
    ), due AS MATERIALIZED (
      SELECT ctid, updated_at FROM ${table}
      WHERE ${isDue('$4')} AND updated_at >= $5::timestamptz AND EXISTS (SELECT FROM held)
      ORDER BY updated_at LIMIT $6::int
      FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM due))
      RETURNING updated_at
    )
    SELECT EXISTS (SELECT FROM held) AS "isHeld", count(*)::int AS deleted,
      coalesce(max(updated_at)::text, $5::text) AS cursor
    FROM gone`

  return {
    async count() {
      const [counted] = (await pool.query(countSql, [days, countLimit + 1])).rows as { rows: number }[]
      const rows = counted?.rows ?? 0
      if (rows <= countLimit) return { rows, isEstimate: false }
      const [plan] = (await pool.query(estimateSql)).rows as { 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }[]
      return { rows: Math.max(rows, plan?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0), isEstimate: true }
    },
    async deleteStep(cursor) {
      const { rows } = await pool.query(stepSql, [leaseName, holder, leaseMs, days, cursor, stepRows])
      const [step = { isHeld: false, deleted: 0, cursor }] = rows as DeletionStep[]
      return step
    },
  }
}
