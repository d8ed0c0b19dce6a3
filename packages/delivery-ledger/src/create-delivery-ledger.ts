import { createCoalescer, isDataFault, isHeldUp, toDatabaseError } from '@mono/worker-runtime'
import type {
  Claim,
  DeliveryLedger,
  LedgerMessage,
  RecipientRecord,
  RecipientResult,
  RecipientState,
} from './delivery-ledger.js'
import { indexRequests, keyOf, toKeys, toTokens } from './ledger-rows.js'
import { createLedgerStatements, type LedgerNames } from './ledger-statements.js'

/** The part of a `pg` pool that the ledger uses. */
export interface LedgerDatabase {
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>
}

export type DeliveryLedgerOptions = LedgerNames & {
  pool: LedgerDatabase
  /** Default 30000. */
  leaseMs?: number
}

/** A ledger in the given table. Recipients are strings, also when their column is a bigint. */
export function createDeliveryLedger({ pool, leaseMs = 30_000, ...names }: DeliveryLedgerOptions): DeliveryLedger {
  const statements = createLedgerStatements(names)

  async function query<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
    try {
      return (await pool.query(sql, values)).rows as Row[]
    } catch (error) {
      throw toDatabaseError(error)
    }
  }

  async function claimTogether(requests: readonly ClaimRequest[], replayedAt?: Date): Promise<Claim[][]> {
    const keys = toKeys(
      requests.map(({ message, recipients }) => ({ message, rows: recipients.map((recipient) => ({ recipient })) })),
    )
    const claimed = await query<ClaimedRow>(statements.claim, ...keys, leaseMs, replayedAt?.toISOString() ?? null)
    const whose = indexRequests(requests, ({ message, recipients }) => recipients.map((each) => keyOf(message, each)))
    const claims: Claim[][] = requests.map(() => [])
    for (const { tenant, message, recipient, attempts, ambiguous } of claimed) {
      const index = whose.get(keyOf({ tenantId: tenant, messageId: message }, recipient))
      if (index !== undefined) claims[index]?.push({ recipient, attempts, ambiguous })
    }
    return claims
  }

  async function recordTogether(requests: readonly RecordRequest[]): Promise<number[]> {
    const results = requests.flatMap((request) => request.results)
    const recorded = await query<RecordedRow>(
      statements.record,
      ...toKeys(requests.map((request) => ({ message: request.message, rows: request.results }))),
      results.map(({ attempts }) => attempts),
      results.map(({ state }) => state),
      results.map(({ providerId }) => toStorable(providerId)),
      results.map(({ code }) => toStorable(code)),
    )
    const whose = indexRequests(requests, (request) =>
      request.results.map(({ recipient, attempts }) => keyOf(request.message, recipient, attempts)),
    )
    const counts = requests.map(() => 0)
    for (const { tenant, message, recipient, attempts } of recorded) {
      const index = whose.get(keyOf({ tenantId: tenant, messageId: message }, recipient, attempts))
      if (index !== undefined) counts[index] = (counts[index] ?? 0) + 1
    }
    return counts
  }

  const claim = createCoalescer({
    run: (requests: readonly ClaimRequest[]) => claimTogether(requests),
    sizeOf: ({ recipients }) => recipients.length,
    maxSize: maxRowsTogether,
    isFaultOfOne,
  })
  const record = createCoalescer({
    run: recordTogether,
    sizeOf: ({ results }) => results.length,
    maxSize: maxRowsTogether,
    isFaultOfOne,
  })

  return {
    leaseMs,
    async claim(message, recipients) {
      if (recipients.length === 0) return []
      if (!message.replayedAt) return await claim({ message, recipients })
      const [claims = []] = await claimTogether([{ message, recipients }], message.replayedAt)
      return claims
    },
    async record(message, results) {
      return results.length === 0 ? 0 : await record({ message, results })
    },
    async renew(message, claims) {
      if (claims.length === 0) return []
      const rows = await query<{ recipient: string }>(statements.renew, ...toTokens(message, claims), leaseMs)
      return rows.map(({ recipient }) => recipient)
    },
    async release(message, claims) {
      if (claims.length === 0) return
      const codes = claims.map(({ code }) => toStorable(code))
      await query(statements.release, ...toTokens(message, claims), codes)
    },
    async read(message, recipients) {
      if (recipients.length === 0) return new Map()
      const { tenantId, messageId } = message
      const rows = await query<RecipientRow>(statements.read, tenantId, messageId, recipients)
      return new Map(rows.map((row) => [row.recipient, toRecipientRecord(row)]))
    },
  }
}

interface RecipientRow {
  recipient: string
  state: RecipientState
  leased: boolean
  last_code: string | null
}

function toRecipientRecord({ state, leased, last_code: lastCode }: RecipientRow): RecipientRecord {
  return { state, leasedByOther: leased, ...(lastCode !== null && { lastCode }) }
}

interface ClaimRequest {
  message: LedgerMessage
  recipients: readonly string[]
}

interface RecordRequest {
  message: LedgerMessage
  results: readonly RecipientResult[]
}

interface RecordedRow {
  tenant: string
  message: string
  recipient: string
  attempts: number
}

interface ClaimedRow extends RecordedRow {
  ambiguous: boolean
}

/** Neither a row that another process has locked nor data that PostgreSQL refuses may hold up the other messages. */
const isFaultOfOne = (error: unknown) => isDataFault(error) || isHeldUp(error)

/** Enough to share the cost of a statement, and not so much that a small message waits long for a large one. */
const maxRowsTogether = 1_000

const maxTextLength = 1000

/**
 * These texts come from a provider. PostgreSQL takes no `\u0000`: one in a single answer would keep a whole batch of
 * results from being recorded, and all of them would be sent again.
 */
function toStorable(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\u0000', '').slice(0, maxTextLength)
}
