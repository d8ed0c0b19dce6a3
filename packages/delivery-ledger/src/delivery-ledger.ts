import { createCoalescer, isDataFault, isHeldUp, toDatabaseError } from '@mono/worker-runtime'
import { indexRequests, keyOf, toKeys, toTokens } from './ledger-rows.js'
import { createLedgerStatements, type LedgerNames } from './ledger-statements.js'

/**
 * What is known of one message at one recipient:
 *
 * - `sending`: claimed until the lease ends; after that nobody knows whether it was sent
 * - `sent`, `failed`, `unknown`: final. `unknown`: the provider may have taken it, and it must not be sent again unasked
 * - `retry`: certainly not sent; to be claimed by the message's next delivery
 */
export type RecipientState = 'sending' | 'sent' | 'failed' | 'retry' | 'unknown'

export interface LedgerMessage {
  tenantId: number
  messageId: string
  /** Of a replay: what was `failed` or `unknown` before it is claimed again, and what becomes so in it is not. */
  replayedAt?: Date | undefined
}

/** The right to send one message to one recipient until the lease ends. */
export interface Claim {
  recipient: string
  /** Claims of this recipient so far. The fencing token: what is recorded with the number of an older claim is ignored. */
  attempts: number
  /**
   * An earlier try may have reached the recipient: it was never recorded. False in a replay of what is `unknown`:
   * somebody has decided to send it again.
   */
  ambiguous: boolean
}

export interface RecipientResult {
  recipient: string
  /** Of the claim under which it was sent. */
  attempts: number
  state: Exclude<RecipientState, 'sending'>
  /** By what the provider knows it. */
  providerId?: string | undefined
  /** Why it is `failed`, `retry` or `unknown`. */
  code?: string | undefined
}

export interface UnsentClaim {
  recipient: string
  attempts: number
  /** Why nothing was tried. Default: what was recorded last stays. */
  code?: string | undefined
}

export interface RecipientRecord {
  state: RecipientState
  /** It is `sending`, and the lease goes on. Whoever asks and holds claims cannot tell its own from another's. */
  leasedByOther: boolean
  lastCode?: string
}

/**
 * Who has been served, and who is being served by which process: what makes the second delivery of a message harmless.
 * Leases are measured by PostgreSQL's clock. Claims and results of several messages go to it together.
 *
 * Every method throws DeferError or RetryableError, code `DATABASE_UNAVAILABLE`, if the database could not be asked;
 * the statement may have taken effect.
 */
export interface DeliveryLedger {
  /** For how long a claim holds without being renewed, in milliseconds. */
  readonly leaseMs: number
  /**
   * Claims, in one statement, those of the recipients who are to be served now: new ones, `retry` ones, those whose
   * lease ran out and, in a replay, `failed` and `unknown` ones. Whom somebody else has claimed is left out.
   */
  claim(message: LedgerMessage, recipients: readonly string[]): Promise<Claim[]>
  /** Resolves with how many were recorded: those whose claim has not passed to somebody else. */
  record(message: LedgerMessage, results: readonly RecipientResult[]): Promise<number>
  /** Starts the leases anew. Resolves with the recipients who are still held; the others are lost. */
  renew(message: LedgerMessage, claims: readonly Claim[]): Promise<string[]>
  /** Gives claims back under which nothing was sent, to be claimed again at once. They stay ambiguous if they were. */
  release(message: LedgerMessage, claims: readonly UnsentClaim[]): Promise<void>
  /** What is known of the recipients; of those who have never been claimed there is nothing. */
  read(message: LedgerMessage, recipients: readonly string[]): Promise<Map<string, RecipientRecord>>
}

/** The part of a `pg` pool that the ledger uses. */
export interface LedgerDatabase {
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>
}

export type DeliveryLedgerOptions = LedgerNames & {
  pool: LedgerDatabase
  /** Default 30000. */
  leaseMs?: number
}

/** A ledger in the given table. Recipients are strings, of a bigint column too. */
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

/** A row that somebody has locked must not hold up other messages, nor refused data. */
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
