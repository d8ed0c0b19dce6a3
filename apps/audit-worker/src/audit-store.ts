import { PermanentError, RetryableError } from '@mono/message-queue'
import { isDataFault, toDatabaseError } from '@mono/worker-runtime'
import type { AuditRow } from './audit-row.js'
import type { Database } from './database.js'
import { splitBySize } from './split-by-size.js'

export interface AuditStore {
  /**
   * Records all rows but those that PostgreSQL refuses for their data, and resolves with these and why: a
   * PermanentError with code INVALID_MESSAGE each. A row that is there already is left as it is.
   * @throws DeferError or RetryableError if the database could not be asked; some rows may have been recorded
   */
  recordBatch(rows: readonly AuditRow[]): Promise<Map<AuditRow, PermanentError>>
}

/**
 * Times travel as text with their offset: pg writes a Date in the process's time zone, which for old dates is off by
 * seconds.
 */
const insertStatement = `
  INSERT INTO audit.events
    (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::jsonb[], $9::text[])
  ON CONFLICT DO NOTHING`

/** Longest `changes` of one statement together, in characters. A usual batch of 500 takes far less. */
const statementSize = 16 * 1024 * 1024

export function createAuditStore(database: Database): AuditStore {
  /** Halves a refused batch until the refused row stands alone: 18 more statements for one bad row in 500. */
  async function record(rows: readonly AuditRow[], refused: Map<AuditRow, PermanentError>): Promise<void> {
    const [first] = rows
    if (!first) return
    try {
      await database.query(insertStatement, toColumns(rows))
    } catch (error) {
      if (!isRefusal(error)) throw toRecordError(error)
      if (rows.length === 1) {
        refused.set(first, toPermanentError(error))
        return
      }
      const half = rows.length >> 1
      await record(rows.slice(0, half), refused)
      await record(rows.slice(half), refused)
    }
  }

  return {
    async recordBatch(rows) {
      const refused = new Map<AuditRow, PermanentError>()
      // One order for all: an insert waits for another one's row of the same key, and two that hold the same events in
      // other orders would wait for each other.
      const ordered = rows.toSorted(compareKeys)
      for (const part of splitBySize(ordered, { sizeOf: ({ changes }) => changes.length, maxSize: statementSize })) {
        await record(part, refused)
      }
      return refused
    },
  }
}

function compareKeys(a: AuditRow, b: AuditRow): number {
  if (a.eventId !== b.eventId) return a.eventId < b.eventId ? -1 : 1
  return a.tenantId - b.tenantId || a.occurredAt.getTime() - b.occurredAt.getTime()
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

/**
 * 23514 is no fault of the row: it was on its way to the default partition when a partition for its month was attached,
 * and finds its place when it is tried again.
 */
function isRefusal(error: unknown): boolean {
  return isDataFault(error) && codeOf(error) !== '23514'
}

function toRecordError(error: unknown): Error {
  if (codeOf(error) !== '23514') return toDatabaseError(error)
  return new RetryableError('A partition was attached while the batch was being recorded', {
    code: 'DATABASE_UNAVAILABLE',
    cause: error,
  })
}

function toPermanentError(error: unknown): PermanentError {
  const reason = error instanceof Error ? error.message : String(error)
  return new PermanentError(`PostgreSQL refused the event: ${reason} (${codeOf(error)})`, {
    code: 'INVALID_MESSAGE',
    cause: error,
  })
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}
