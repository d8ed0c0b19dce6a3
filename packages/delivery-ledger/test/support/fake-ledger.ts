import type {
  Claim,
  DeliveryLedger,
  LedgerMessage,
  RecipientRecord,
  RecipientResult,
  RecipientState,
  UnsentClaim,
} from '../../src/delivery-ledger.js'

interface FakeRow {
  state: RecipientState
  attempts: number
  ambiguous: boolean
  leaseEnd: number
  updatedAt: number
  code?: string | undefined
  reason?: string | undefined
}

type Method = 'claim' | 'record' | 'renew' | 'release' | 'read'

export interface FakeLedger extends DeliveryLedger {
  rows: Map<string, FakeRow>
  calls: { method: Method; recipients: string[] }[]
  /** How many recipients each call of the method was about. */
  sizes(method: Method): number[]
  /** Until it is undefined again, the method throws this, and nothing happens. */
  faults: Partial<Record<Method, Error | undefined>>
  /** Until the returned function is called, the method's statements run and their answers are held back. */
  holdBack(method: Method): () => void
  /** Another process claims the recipients, whether their leases are over or not. */
  takeOver(recipients: readonly string[]): void
  statesOf(...states: RecipientState[]): string[]
  /** Called after every statement. */
  onChange?: (() => void) | undefined
}

/** A ledger in memory, for one message, whose clock is `performance.now()`. */
export function createFakeLedger(): FakeLedger {
  const leaseMs = 30_000
  const rows: FakeLedger['rows'] = new Map()
  const calls: FakeLedger['calls'] = []
  const faults: FakeLedger['faults'] = {}
  const gates = new Map<Method, Promise<void>>()

  async function run<T>(method: Method, given: readonly (string | { recipient: string })[], statement: () => T) {
    calls.push({ method, recipients: given.map((one) => (typeof one === 'string' ? one : one.recipient)) })
    await Promise.resolve()
    const fault = faults[method]
    if (fault) throw fault
    const value = statement()
    ledger.onChange?.()
    await gates.get(method)
    return value
  }

  function claimRow(recipient: string, replayedAt: Date | undefined): Claim[] {
    const row = rows.get(recipient)
    const leaseEnd = performance.now() + leaseMs
    if (!row) {
      rows.set(recipient, { state: 'sending', attempts: 1, ambiguous: false, leaseEnd, updatedAt: Date.now() })
      return [{ recipient, attempts: 1, ambiguous: false, reuses: 0 }]
    }
    const isOver = row.state === 'sending' && row.leaseEnd < performance.now()
    const isReplayed = ['failed', 'unknown'].includes(row.state) && row.updatedAt < Number(replayedAt)
    if (row.state !== 'retry' && !isOver && !isReplayed) return []
    const ambiguous = row.state === 'sending'
    const attempts = row.attempts + 1
    rows.set(recipient, { ...row, state: 'sending', attempts, ambiguous, leaseEnd, updatedAt: Date.now() })
    return [{ recipient, attempts, ambiguous, reuses: 0 }]
  }

  function findHeld({ recipient, attempts }: { recipient: string; attempts: number }): FakeRow | undefined {
    const row = rows.get(recipient)
    return row?.state === 'sending' && row.attempts === attempts ? row : undefined
  }

  const ledger: FakeLedger = {
    leaseMs,
    rows,
    calls,
    faults,
    sizes: (method) => calls.filter((call) => call.method === method).map(({ recipients }) => recipients.length),
    holdBack(method) {
      const { promise, resolve } = withResolver()
      gates.set(method, promise)
      return () => {
        gates.delete(method)
        resolve()
      }
    },
    takeOver(recipients) {
      for (const recipient of recipients) {
        const attempts = (rows.get(recipient)?.attempts ?? 0) + 1
        rows.set(recipient, {
          state: 'sending',
          attempts,
          ambiguous: false,
          leaseEnd: performance.now() + leaseMs,
          updatedAt: Date.now(),
        })
      }
    },
    statesOf: (...states) =>
      [...rows].filter(([, { state }]) => states.includes(state)).map(([recipient]) => recipient),

    claim: (message: LedgerMessage, recipients) =>
      run('claim', recipients, () => recipients.flatMap((recipient) => claimRow(recipient, message.replayedAt))),
    record: (_message, results: readonly RecipientResult[]) =>
      run('record', results, () => {
        const held = results.flatMap((result) => (findHeld(result) ? [result] : []))
        for (const { recipient, state, code, reason } of held)
          Object.assign(rows.get(recipient) ?? {}, { state, code, reason, updatedAt: Date.now() })
        return held.length
      }),
    renew: (_message, claims: readonly Claim[]) =>
      run('renew', claims, () => {
        const held = claims.filter(findHeld)
        for (const claim of held)
          Object.assign(rows.get(claim.recipient) ?? {}, { leaseEnd: performance.now() + leaseMs })
        return held.map(({ recipient }) => recipient)
      }),
    release: (_message, claims: readonly UnsentClaim[]) =>
      run('release', claims, () => {
        for (const { code, reason, ...claim } of claims)
          Object.assign(findHeld(claim) ?? {}, { state: 'retry', code, reason })
      }),
    read: (_message, recipients) =>
      run('read', recipients, () => {
        const records = recipients.flatMap((recipient) => {
          const row = rows.get(recipient)
          return row ? [[recipient, toRecipientRecord(row)] as const] : []
        })
        return new Map<string, RecipientRecord>(records)
      }),
  }
  return ledger
}

function toRecipientRecord({ state, leaseEnd, code, reason }: FakeRow): RecipientRecord {
  const leasedByOther = state === 'sending' && leaseEnd > performance.now()
  return { state, leasedByOther, ...(code !== undefined && { lastCode: code }), lastReason: reason }
}

function withResolver() {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
