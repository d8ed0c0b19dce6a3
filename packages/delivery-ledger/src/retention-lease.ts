import { randomUUID } from 'node:crypto'
import type { RetentionDatabase } from './retention-options.js'

/** The name of the lease row. */
export const leaseName = 'ledger-retention'

export interface RetentionLease {
  /** Which process, in the lease row. */
  readonly holder: string
  /** True if nobody else has it, and then it is held. */
  take(): Promise<boolean>
  /** False if it has been lost. */
  renew(): Promise<boolean>
  /** Lets whoever is first take it after this time. */
  giveUp(afterMs: number): Promise<void>
}

/** A row in `<schema>.leases`, so that one process at a time deletes. Measured by PostgreSQL's clock. */
export function createRetentionLease(pool: RetentionDatabase, schema: string, leaseMs: number): RetentionLease {
  const holder = randomUUID()
  const until = (parameter: string) => `now() + ${parameter}::float8 * interval '1 millisecond'`
  const takeSql = `
    INSERT INTO ${schema}.leases AS lease (name, holder, lease_until) VALUES ($1, $2, ${until('$3')})
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
    WHERE lease.lease_until < now()
    RETURNING 1`
  const keepSql = `
    UPDATE ${schema}.leases SET lease_until = ${until('$3')}
    WHERE name = $1 AND holder = $2 AND lease_until > now()
    RETURNING 1`
  const isChanged = async (sql: string, ms: number) => (await pool.query(sql, [leaseName, holder, ms])).rows.length > 0

  return {
    holder,
    take: () => isChanged(takeSql, leaseMs),
    renew: () => isChanged(keepSql, leaseMs),
    async giveUp(afterMs) {
      await isChanged(keepSql, afterMs)
    },
  }
}
