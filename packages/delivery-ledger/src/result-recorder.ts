import { DeferError, type Logger, RetryableError } from '@mono/message-queue'
import type { Claim, DeliveryLedger, LedgerMessage, RecipientResult, UnsentClaim } from './delivery-ledger.js'
import { retryDelayMs } from './retry-delay.js'
import type { ServeResult } from './serve-result.js'
import { sleep } from './sleep.js'

export interface ResultRecorder {
  add(claim: Claim, result: ServeResult): void
  /** Gives claims back under which nothing was sent, at once. */
  release(claims: readonly UnsentClaim[]): void
  /** Waits while results cannot be recorded, because what is sent meanwhile might be sent again. */
  ready(): Promise<void>
  /** Resolves when everything is recorded, or given up. */
  finish(): Promise<void>
  /** Whatever was added is certainly recorded. */
  readonly isComplete: boolean
}

export interface ResultRecorderOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  logger: Logger
  /** Once it is aborted, what fails is not tried again. */
  signal: AbortSignal
  /** These are recorded, or given up. */
  onDone(claims: readonly { recipient: string }[]): void
  /** Results were given up. */
  onFailed(error: unknown): void
}

/** What is not recorded when the process dies is sent again: so not many, and not for long. */
const batchSize = 100
const maxWaitMs = 100

/** This many may wait for one batch that takes its time. */
const maxWaiting = 2 * batchSize

/** For how long recording is tried again while the database is away. */
const patienceMs = 120_000

type Entry = { kind: 'result'; row: RecipientResult } | { kind: 'unsent'; row: UnsentClaim }

/** Records results in small batches, one after the other, and insists: what they tell of has happened. */
export function createResultRecorder(options: ResultRecorderOptions): ResultRecorder {
  const { ledger, message, logger, signal, onDone, onFailed } = options
  const waiting: Entry[] = []
  const releases: Promise<void>[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let stuck = false
  let failed = false
  let isComplete = true

  function write(): void {
    clearTimeout(timer)
    timer = undefined
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize)
      try {
        await recordResults(batch.flatMap((entry) => (entry.kind === 'result' ? [entry.row] : [])))
        await releaseUnsent(batch.flatMap((entry) => (entry.kind === 'unsent' ? [entry.row] : [])))
      } catch (error) {
        giveUp(error, batch.length)
      }
      stuck = false
      onDone(batch.map(({ row }) => row))
    }
  }

  async function recordResults(results: readonly RecipientResult[]): Promise<void> {
    if (results.length === 0) return
    const { value: recorded, tries } = await insist(() => ledger.record(message, results))
    if (recorded === results.length) return
    isComplete = false
    // A try whose answer was lost may have recorded them.
    if (tries > 1) return
    logger.warn({ results: results.length, recorded }, 'Results came too late: another process has those recipients')
  }

  async function releaseUnsent(claims: readonly UnsentClaim[]): Promise<void> {
    if (claims.length > 0) await insist(() => ledger.release(message, claims))
  }

  async function insist<T>(statement: () => Promise<T>): Promise<{ value: T; tries: number }> {
    const startedAt = performance.now()
    for (let tries = 1; ; tries++) {
      try {
        return { value: await statement(), tries }
      } catch (error) {
        const isOver = signal.aborted || failed || performance.now() - startedAt >= patienceMs
        if (isOver || !mayPass(error)) throw error
        if (!stuck)
          logger.warn({ err: error }, 'Results cannot be recorded; trying again, and sending nothing meanwhile')
        stuck = true
        await sleep(retryDelayMs(tries), signal)
      }
    }
  }

  function giveUp(error: unknown, count: number): void {
    logger.error({ err: error, count }, 'Results were not recorded: these recipients may be served again')
    failed = true
    isComplete = false
    onFailed(error)
  }

  return {
    add(claim, result) {
      waiting.push(toEntry(claim, result))
      if (waiting.length >= batchSize) write()
      else timer ??= setTimeout(write, maxWaitMs)
    },
    release(claims) {
      if (claims.length === 0) return
      const release = releaseUnsent(claims).catch((error: unknown) => {
        logger.warn(
          { err: error, count: claims.length },
          'Claims could not be given back; their leases have to run out',
        )
      })
      releases.push(release)
    },
    async ready() {
      if (stuck || waiting.length >= maxWaiting) await writing
    },
    get isComplete() {
      return isComplete
    },
    async finish() {
      while (writing || waiting.length > 0) {
        write()
        await writing
      }
      await Promise.all(releases)
    },
  }
}

function toEntry({ recipient, attempts }: Claim, result: ServeResult): Entry {
  const claim = { recipient, attempts }
  switch (result.kind) {
    case 'sent':
      return { kind: 'result', row: { ...claim, state: 'sent', providerId: result.providerId } }
    case 'defer':
      return { kind: 'unsent', row: { ...claim, code: result.code } }
    default:
      return { kind: 'result', row: { ...claim, state: result.kind, code: result.code } }
  }
}

/** What the ledger throws when the database is away, or was busy with another transaction. */
function mayPass(error: unknown): boolean {
  return error instanceof DeferError || error instanceof RetryableError
}
