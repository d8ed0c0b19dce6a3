import { PermanentError, RetryableError } from '@mono/message-queue'
import { isDataFault, toDatabaseError } from '@mono/worker-runtime'
import type { AuditRow } from './audit-row.js'
import type { Database } from './database.js'
import { createInsertEvents } from './insert-events.js'
import { type Difference, recordEvents } from './record-events.js'
import { splitBySize } from './split-by-size.js'

export interface AuditStore {
  /**
   * Records each event once, by tenant and event id, and resolves with those that cannot be recorded and why. Each fails
   * by itself, with PermanentError
   * - ID_CONFLICT if another event has its id, and differs in more than its time
   * - INVALID_MESSAGE if PostgreSQL refuses it for its data
   * @throws DeferError or RetryableError if the database could not be asked; some rows may have been recorded
   */
  recordBatch(rows: readonly AuditRow[]): Promise<Map<AuditRow, PermanentError>>
  /** Events that came again with another time and nothing else, so far. The first time is the one that is kept. */
  readonly sentAgainWithOtherTime: number
}

/** Longest `changes` of one statement together, in characters. A usual batch of 500 takes far less. */
const statementSize = 16 * 1024 * 1024

export function createAuditStore(database: Database): AuditStore {
  const insert = createInsertEvents(database)
  let sentAgainWithOtherTime = 0

  function conclude({ row, fields }: Difference, refused: Map<AuditRow, PermanentError>): void {
    if (fields.length === 1 && fields[0] === 'timestamp') sentAgainWithOtherTime += 1
    else refused.set(row, toConflict(fields))
  }

  /** Halves a refused batch until the refused row stands alone: 18 more statements for one bad row in 500. */
  async function record(rows: readonly AuditRow[], refused: Map<AuditRow, PermanentError>): Promise<void> {
    const [first] = rows
    if (!first) return
    try {
      for (const difference of await recordEvents(database, insert, rows)) conclude(difference, refused)
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
    get sentAgainWithOtherTime() {
      return sentAgainWithOtherTime
    },
    async recordBatch(rows) {
      const refused = new Map<AuditRow, PermanentError>()
      // Rows of the same id keep the order in which they came: the first is the one that is recorded.
      const ordered = rows.toSorted(compareIds)
      for (const part of splitBySize(ordered, { sizeOf: ({ changes }) => changes.length, maxSize: statementSize })) {
        await record(part, refused)
      }
      return refused
    },
  }
}

function compareIds(a: AuditRow, b: AuditRow): number {
  if (a.eventId !== b.eventId) return a.eventId < b.eventId ? -1 : 1
  return a.tenantId - b.tenantId
}

function toConflict(fields: readonly string[]): PermanentError {
  const found = fields.length > 0 ? `with other ${fields.join(', ')}` : 'and is no longer there to be compared'
  return new PermanentError(`Another event was recorded with this id, ${found}`, { code: 'ID_CONFLICT' })
}

/**
 * 54 is a limit of PostgreSQL, such as the depth of a document. 23514 is no fault of the row: it was on its way to the
 * default partition when a partition for its month was attached, and finds its place when it is tried again.
 */
function isRefusal(error: unknown): boolean {
  const code = String(codeOf(error))
  return (isDataFault(error) || /^54\d{3}$/.test(code)) && code !== '23514'
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
