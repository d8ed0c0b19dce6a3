import { DeferError, type Logger, RetryableError } from '@mono/message-queue'
import { backoffMs, sleep } from '@mono/waiting'
import { toReason } from '@mono/worker-runtime'
import type { Claim, DeliveryLedger, LedgerMessage, RecipientResult, UnsentClaim } from './delivery-ledger.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { ServeResult } from './serve-result.js'

export interface ResultRecorderOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  leases: LeaseKeeper
  logger: Logger
  /** Once it is aborted, a statement that fails is not tried again. */
  signal: AbortSignal
  /** Called when results had to be given up: serving anybody else makes it worse. */
  onFailed(error: unknown): void
}

/** A result that is not recorded when the process dies is sent again, so few may wait, and not for long. */
const batchSize = 100
const maxWaitMs = 100

/** This many may wait while a batch takes its time. */
const maxWaiting = 2 * batchSize

/** For how long a statement is tried again while the database is away. */
const patienceMs = 120_000
const backoff = { first: 200, max: 3000 }

type Entry = { kind: 'result'; row: RecipientResult } | { kind: 'unsent'; row: UnsentClaim }

/**
 * Records results in small batches, one after the other, and is persistent about it: they tell of sending that has
 * happened.
 *
 * | phase | what goes on | left when |
 * | --- | --- | --- |
 * | collecting | results wait for company | a batch is full, or the first of them has waited for `maxWaitMs` |
 * | writing | one batch after the other is recorded | none waits |
 * | stuck | a batch is tried again, and `ready` holds back further serving | it is recorded, or given up |
 *
 * A batch that is given up, because patience or the signal has ended or the database refuses it, makes the recorder
 * incomplete and failed for good: what follows is tried once. The lease of a claim is kept until its batch is through.
 */
export class ResultRecorder {
  readonly #options: ResultRecorderOptions
  readonly #waiting: Entry[] = []
  readonly #releases: Promise<void>[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #isStuck = false
  #hasFailed = false
  #isComplete = true

  constructor(options: ResultRecorderOptions) {
    this.#options = options
  }

  /** Every result that was added and is through is certainly recorded. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  add(claim: Claim, result: ServeResult): void {
    this.#waiting.push(toEntry(claim, result))
    if (this.#waiting.length >= batchSize) this.#write()
    else this.#timer ??= setTimeout(() => this.#write(), maxWaitMs)
  }

  /** Releases, at once, claims under which nothing was sent. */
  release(claims: readonly Claim[]): void {
    if (claims.length === 0) return
    this.#options.leases.drop(claims)
    this.#releases.push(this.#releaseOrWarn(claims.map(({ recipient, attempts }) => ({ recipient, attempts }))))
  }

  /** Waits while results cannot be recorded: whatever is sent meanwhile might be sent again. */
  async ready(): Promise<void> {
    if (this.#isStuck || this.#waiting.length >= maxWaiting) await this.#writing
  }

  /** Resolves when every result is recorded or given up, and every release is over. */
  async finish(): Promise<void> {
    while (this.#writing || this.#waiting.length > 0) {
      this.#write()
      await this.#writing
    }
    await Promise.all(this.#releases)
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSize)
      try {
        await this.#recordResults(batch.flatMap((entry) => (entry.kind === 'result' ? [entry.row] : [])))
        await this.#releaseUnsent(batch.flatMap((entry) => (entry.kind === 'unsent' ? [entry.row] : [])))
      } catch (error) {
        this.#giveUp(error, batch.length)
      }
      this.#isStuck = false
      this.#options.leases.drop(batch.map(({ row }) => row))
    }
  }

  async #recordResults(results: readonly RecipientResult[]): Promise<void> {
    if (results.length === 0) return
    const { ledger, message, logger } = this.#options
    const { value: recorded, tries } = await this.#persist(() => ledger.record(message, results))
    if (recorded === results.length) return
    this.#isComplete = false
    // A try whose answer was lost may have recorded them.
    if (tries > 1) return
    logger.warn({ results: results.length, recorded }, 'Results came too late: another process has those recipients')
  }

  async #releaseUnsent(claims: readonly UnsentClaim[]): Promise<void> {
    const { ledger, message } = this.#options
    if (claims.length > 0) await this.#persist(() => ledger.release(message, claims))
  }

  async #releaseOrWarn(claims: readonly UnsentClaim[]): Promise<void> {
    try {
      await this.#releaseUnsent(claims)
    } catch (error) {
      const data = { err: error, count: claims.length }
      this.#options.logger.warn(data, 'Claims could not be given back; their leases have to run out')
    }
  }

  /** Runs a statement, and again while it fails for a reason that may pass and patience lasts. */
  async #persist<T>(statement: () => Promise<T>): Promise<{ value: T; tries: number }> {
    const { signal } = this.#options
    const startedAt = performance.now()
    for (let tries = 1; ; tries++) {
      try {
        return { value: await statement(), tries }
      } catch (error) {
        const isOver = signal.aborted || this.#hasFailed || performance.now() - startedAt >= patienceMs
        if (isOver || !mayPass(error)) throw error
        this.#getStuck(error)
        await sleep(backoffMs(tries, backoff), signal)
      }
    }
  }

  #getStuck(error: unknown): void {
    if (this.#isStuck) return
    this.#isStuck = true
    const message = 'Results cannot be recorded; trying again, and sending nothing meanwhile'
    this.#options.logger.warn({ err: error }, message)
  }

  #giveUp(error: unknown, count: number): void {
    const message = 'Results were not recorded: these recipients may be served again'
    this.#options.logger.error({ err: error, count }, message)
    this.#hasFailed = true
    this.#isComplete = false
    this.#options.onFailed(error)
  }
}

function toEntry({ recipient, attempts }: Claim, result: ServeResult): Entry {
  const claim = { recipient, attempts }
  switch (result.kind) {
    case 'sent':
      return { kind: 'result', row: { ...claim, state: 'sent', providerId: result.providerId, ...toProvider(result) } }
    case 'defer':
      return { kind: 'unsent', row: { ...claim, ...toCause(result) } }
    default:
      return { kind: 'result', row: { ...claim, state: result.kind, ...toCause(result), ...toProvider(result) } }
  }
}

function toCause({ code, reason }: Exclude<ServeResult, { kind: 'sent' }>) {
  return { code, ...(reason !== undefined && { reason: toReason(reason) }) }
}

function toProvider({ provider }: Exclude<ServeResult, { kind: 'defer' }>) {
  return provider === undefined ? {} : { provider }
}

/** The ledger throws these when the database is away, or was busy with another transaction. */
function mayPass(error: unknown): boolean {
  return error instanceof DeferError || error instanceof RetryableError
}
