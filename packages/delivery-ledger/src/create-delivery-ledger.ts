import { createCoalescer, isDataFault, isHeldUp, toDatabaseError } from '@mono/worker-runtime'
import { createIdConflictError } from './create-id-conflict-error.js'
import type {
  Claim,
  DeliveryLedger,
  LedgerMessage,
  RecipientRecord,
  RecipientResult,
  RecipientState,
} from './delivery-ledger.js'
import { indexRequests, keyOf, toKeys, toTokens } from './ledger-rows.js'
import { createLedgerStatements, keepsProvider, type LedgerNames } from './ledger-statements.js'

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

  /** Messages that have one id with different contents go one after the other: the database takes each id once. */
  async function claimInTurn(requests: readonly ClaimRequest[], replayedAt?: Date): Promise<ClaimAnswer[]> {
    const answers = new Map<ClaimRequest, ClaimAnswer>()
    for (const turn of toTurns(requests)) {
      const given = await claimTogether(turn, replayedAt)
      for (const [index, request] of turn.entries()) answers.set(request, given[index] ?? { claims: [] })
    }
    return requests.map((request) => answers.get(request) ?? { claims: [] })
  }

  async function claimTogether(requests: readonly ClaimRequest[], replayedAt?: Date): Promise<ClaimAnswer[]> {
    const messages = requests.map(({ message }) => message)
    const rows = await query<ClaimedRow | RefusedRow>(
      statements.claim,
      messages.map(({ tenantId }) => tenantId),
      messages.map(({ messageId }) => messageId),
      messages.map(({ content }) => content?.bytes ?? null),
      messages.map(({ derivedId, replayedAt: replayed }) => derivedId !== undefined && replayed === undefined),
      requests.flatMap(({ recipients }, index) => recipients.map(() => index + 1)),
      requests.flatMap(({ recipients }) => recipients),
      leaseMs,
      replayedAt?.toISOString() ?? null,
    )
    const whose = indexRequests(requests, ({ message, recipients }) => recipients.map((each) => keyOf(message, each)))
    const claims: Claim[][] = requests.map(() => [])
    const conflicts = new Map<string, Buffer>()
    for (const row of rows) {
      const key = { tenantId: row.tenant, messageId: row.message }
      if (row.conflict) conflicts.set(keyOf(key), row.conflict)
      else {
        const { recipient, attempts, ambiguous, reuses, provider } = row
        const index = whose.get(keyOf(key, recipient))
        if (index !== undefined)
          claims[index]?.push({ recipient, attempts, ambiguous, reuses, ...(provider && { provider }) })
      }
    }
    return requests.map(({ message }, index) => ({
      claims: claims[index] ?? [],
      conflict: conflicts.get(keyOf(message)),
    }))
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
      results.map(({ reason }) => toStorable(reason)),
      ...(keepsProvider(names) ? [results.map(({ provider }) => toStorable(provider))] : []),
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
    run: (requests: readonly ClaimRequest[]) => claimInTurn(requests),
    sizeOf: ({ recipients }) => recipients.length,
    maxSize: maxRowsTogether,
    isFaultOfOne,
  })
  const claimReplayed = async (request: ClaimRequest, replayedAt: Date): Promise<ClaimAnswer> => {
    const [answer = { claims: [] }] = await claimTogether([request], replayedAt)
    return answer
  }
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
      const request = { message, recipients }
      const answer = message.replayedAt ? await claimReplayed(request, message.replayedAt) : await claim(request)
      if (answer.conflict && message.content) throw createIdConflictError(message.content, answer.conflict)
      return answer.claims
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
      const reasons = claims.map(({ reason }) => toStorable(reason))
      await query(statements.release, ...toTokens(message, claims), codes, reasons)
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
  last_reason: string | null
}

function toRecipientRecord({
  state,
  leased,
  last_code: lastCode,
  last_reason: lastReason,
}: RecipientRow): RecipientRecord {
  return {
    state,
    leasedByOther: leased,
    ...(lastCode !== null && { lastCode }),
    ...(lastReason !== null && { lastReason }),
  }
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

interface ClaimAnswer {
  claims: Claim[]
  /** The digest of the other content that has this id. */
  conflict?: Buffer | undefined
}

interface ClaimedRow extends RecordedRow {
  ambiguous: boolean
  reuses: number
  conflict: null
  /** Mails only have it. */
  provider?: string | null
}

interface RefusedRow {
  tenant: string
  message: string
  conflict: Buffer
}

/** Each turn has one content of an id at most. */
function toTurns(requests: readonly ClaimRequest[]): ClaimRequest[][] {
  const turns: { contents: Map<string, string | undefined>; requests: ClaimRequest[] }[] = []
  for (const request of requests) {
    const key = keyOf(request.message)
    const content = request.message.content?.bytes.toString('hex')
    let turn = turns.find(({ contents }) => !contents.has(key) || contents.get(key) === content)
    if (!turn) {
      turn = { contents: new Map(), requests: [] }
      turns.push(turn)
    }
    turn.contents.set(key, content)
    turn.requests.push(request)
  }
  return turns.map((turn) => turn.requests)
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
