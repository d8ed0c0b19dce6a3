import type { Pool } from 'pg'
import type { OutboxMessage } from './outbox-message.js'

export interface WaitingMessage extends OutboxMessage {
  position: string
}

export interface Failure {
  code: string
  reason: string
}

export interface OutboxState {
  /** Messages that are to be sent. */
  waiting: number
  /** How long the oldest of them has waited, in seconds; 0 if none waits. */
  lagSeconds: number
  /** Messages that are passed over. */
  failed: number
}

const batchMessages = 100
const batchBytes = 4 * 1024 * 1024

/** The newest message of a lane that a pass may send; undefined if none waits. */
export async function findLast(pool: Pool, lane: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ last: string | null }>(
    'SELECT max(position) AS last FROM example.outbox WHERE lane = $1 AND failed_at IS NULL',
    [lane],
  )
  return rows[0]?.last ?? undefined
}

/** The next of a lane, at most 100 and about 4 MiB, and always one if there is any. */
export async function readBatch(
  pool: Pool,
  { lane, after, last }: { lane: string; after: string; last: string },
): Promise<WaitingMessage[]> {
  const { rows } = await pool.query<WaitingMessage & { tenantId: string }>(
    `SELECT position, message_id AS "messageId", tenant_id AS "tenantId", type, order_key AS "orderKey", body
     FROM (
       SELECT *, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS bytes_before
       FROM (
         SELECT * FROM example.outbox
         WHERE lane = $1 AND failed_at IS NULL AND position > $2 AND position <= $3
         ORDER BY position LIMIT ${batchMessages}
       ) AS next
     ) AS measured
     WHERE bytes_before < ${batchBytes}
     ORDER BY position`,
    [lane, after, last],
  )
  return rows.map((row) => ({ ...row, tenantId: Number(row.tenantId) }))
}

export async function deleteSent(pool: Pool, positions: readonly string[]): Promise<void> {
  await pool.query('DELETE FROM example.outbox WHERE position = ANY ($1)', [positions])
}

/** Has the message passed over from now on. */
export async function markFailed(pool: Pool, position: string, { code, reason }: Failure): Promise<void> {
  await pool.query(
    `UPDATE example.outbox SET failed_at = clock_timestamp(), failed_code = $2, failed_reason = $3 WHERE position = $1`,
    [position, code, reason],
  )
}

export async function readOutboxState(pool: Pool): Promise<OutboxState> {
  const { rows } = await pool.query<OutboxState>(
    `SELECT count(*)::int AS waiting,
       coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(created_at))), 0)::float AS "lagSeconds",
       (SELECT count(*)::int FROM example.outbox WHERE failed_at IS NOT NULL) AS failed
     FROM example.outbox WHERE failed_at IS NULL`,
  )
  return rows[0] ?? { waiting: 0, lagSeconds: 0, failed: 0 }
}
