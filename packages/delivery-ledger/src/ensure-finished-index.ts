import { randomUUID } from 'node:crypto'
import { sleep } from '@mono/waiting'
import type { RetentionDatabase } from './retention-options.js'

/** A large table takes minutes, and more beside other work. */
const buildLimitMs = 6 * 3_600_000

/** Deletions look for these rows; others are not in the index. */
export const isFinished = "state IN ('sent', 'failed', 'unknown')"

type IndexState = 'missing' | 'valid' | 'invalid' | 'being made'

/**
 * Makes the index by which finished rows are found, beside all other work: `CONCURRENTLY`, which a migration's transaction
 * does not allow. What an interruption has left is dropped first. Is called by the holder of the lease only.
 *
 * @param signal ends the wait; the server then cancels the statement, and the index stays invalid until the next time
 * @returns false if somebody is making it: a process that has lost its lease, or an operator
 */
export async function ensureFinishedIndex(
  pool: RetentionDatabase,
  table: string,
  { signal, onBuild }: { signal: AbortSignal; onBuild(): void },
): Promise<boolean> {
  const index = `${table}_finished_idx`
  const state = await readState(pool, index)
  if (state === 'valid') return true
  if (state === 'being made') return false
  onBuild()
  const run = (statement: string) => runLong(pool, statement, signal)
  if (state === 'invalid') await run(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`)
  const [, name] = index.split('.')
  await run(`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON ${table} (updated_at) WHERE ${isFinished}`)
  return (await readState(pool, index)) === 'valid'
}

/** PostgreSQL does not tell a role which index another one makes: it may be this. */
async function readState(pool: RetentionDatabase, index: string): Promise<IndexState> {
  const sql = `
    SELECT CASE WHEN i.indisvalid THEN 'valid' WHEN EXISTS (
      SELECT FROM pg_stat_progress_create_index AS p
      WHERE p.datname = current_database() AND coalesce(p.index_relid = i.indexrelid, true)
    ) THEN 'being made' ELSE 'invalid' END AS state
    FROM pg_index AS i WHERE i.indexrelid = to_regclass($1)`
  const [row] = (await pool.query(sql, [index])).rows as { state: IndexState }[]
  return row?.state ?? 'missing'
}

/** Found by its text: behind a pooler a process of the server is not this connection's for long. */
const cancelSql = `
  SELECT pg_cancel_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND query LIKE '%' || $1 AND pid <> pg_backend_pid()`
const cancelLimitMs = 1_000
const cancelAgainMs = 20

/**
 * Runs a statement that may take longer than the pool allows and must not be in a transaction, where the pool sets its
 * limits: on a connection beside the pool, so that no claim waits for it.
 */
async function runLong(pool: RetentionDatabase, statement: string, signal: AbortSignal): Promise<void> {
  const connection = await pool.connectAlone()
  const mark = `-- ${randomUUID()}`
  // The server would go on without its client, also when it only waits for a lock, and hold up whoever stops until then.
  const cancel = async () => {
    const limit = AbortSignal.timeout(cancelLimitMs)
    await Promise.race([cancelStatement(pool, mark, limit).catch(() => undefined), sleep(cancelLimitMs, limit)])
    await connection.end()
  }
  const onAbort = () => void cancel()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await connection.query({ text: `${statement} ${mark}`, query_timeout: buildLimitMs })
  } finally {
    signal.removeEventListener('abort', onAbort)
    await connection.end()
  }
}

/**
 * Beside the pool too: whatever it has may wait for the same table. The server may hear of it before it hears the
 * statement, which comes on another connection.
 */
async function cancelStatement(pool: RetentionDatabase, mark: string, limit: AbortSignal): Promise<void> {
  const connection = await pool.connectAlone()
  try {
    let isCancelled = false
    while (!isCancelled && !limit.aborted) {
      const { rows } = await connection.query({ text: cancelSql, values: [mark], query_timeout: cancelLimitMs })
      isCancelled = rows.length > 0
      if (!isCancelled) await sleep(cancelAgainMs, limit)
    }
  } finally {
    await connection.end()
  }
}
