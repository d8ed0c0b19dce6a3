import type { TestDatabase } from '@mono/test-support'

/** The server's processes that hold an advisory lock of this database, or, if not `granted`, wait for one. */
export async function findAdvisoryLocks(database: TestDatabase, { granted }: { granted: boolean }): Promise<number[]> {
  const rows = await database.query<{ pid: number }>(
    `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted = $1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [granted],
  )
  return rows.map(({ pid }) => pid)
}
