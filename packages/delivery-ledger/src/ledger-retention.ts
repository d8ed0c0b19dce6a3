import { sleep, toError } from '@mono/waiting'
import { abandonAt } from './abandon-at.js'
import { createFinishedRows, type FinishedRows, fromTheFirst } from './delete-finished.js'
import { ensureFinishedIndex } from './ensure-finished-index.js'
import { createRetentionLease, type RetentionLease } from './retention-lease.js'
import { defaultPace, type LedgerRetentionOptions, type RetentionPace } from './retention-options.js'

/**
 * Deletes what was finished long ago from a ledger, in small steps, by one process at a time. Rows that are not finished
 * stay, however old they are.
 *
 * | state | what goes on | left when |
 * | --- | --- | --- |
 * | waiting | looks now and then whether the lease is free | it is taken |
 * | making the index | the lease is renewed by the clock | the index is valid, or somebody else makes it |
 * | deleting | each step renews the lease | nothing is due; then the lease stays taken until the next time |
 * | stopped | nothing | never |
 *
 * It may end at any point: each step is a statement of its own, the lease runs out, and an index that is only half made
 * is made again. Whatever fails is logged and tried again at the next look.
 */
export class LedgerRetention {
  readonly #options: LedgerRetentionOptions
  readonly #pace: RetentionPace
  readonly #lease: RetentionLease
  readonly #rows: FinishedRows
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #deleted = 0

  constructor(options: LedgerRetentionOptions) {
    const pool = abandonAt(this.#stop.signal, options.pool)
    const { table, pace } = options
    this.#options = { ...options, pool }
    this.#pace = { ...defaultPace, ...pace }
    this.#lease = createRetentionLease(pool, table.split('.')[0] ?? '', this.#pace.leaseMs)
    this.#rows = createFinishedRows(this.#options, this.#pace, this.#lease.holder)
  }

  /** How many rows this process has deleted. */
  get deleted(): number {
    return this.#deleted
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Breaks off making the index. Another statement under way is left to the end of the pool. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        if (await this.#lease.take()) await this.#cleanUp()
      } catch (error) {
        if (!signal.aborted)
          this.#options.logger.warn({ err: toError(error) }, 'Old rows of the ledger were not deleted')
      }
      await sleep(this.#pace.pollMs * (0.5 + Math.random()), signal)
    }
  }

  async #cleanUp(): Promise<void> {
    let nextAfterMs = 0
    try {
      if ((await this.#makeIndex()) && (await this.#deleteDue())) nextAfterMs = this.#pace.everyMs
    } finally {
      await this.#lease.giveUp(nextAfterMs)
    }
  }

  async #makeIndex(): Promise<boolean> {
    const { pool, table, logger } = this.#options
    const { signal } = this.#stop
    const renew = () => void this.#lease.renew().catch(() => undefined)
    const renewing = setInterval(renew, this.#pace.leaseMs / 3)
    const onBuild = () => logger.info({ table }, 'Making the index by which old rows of the ledger are found')
    try {
      return await ensureFinishedIndex(pool, table, { signal, onBuild })
    } finally {
      clearInterval(renewing)
    }
  }

  /** True if nothing is due any more. */
  async #deleteDue(): Promise<boolean> {
    const { table, days, logger } = this.#options
    const { stepRows, pauseMs } = this.#pace
    const { signal } = this.#stop
    const due = await this.#rows.count()
    if (due.rows === 0) return true
    const perSecond = Math.round((stepRows * 1000) / Math.max(pauseMs, 1))
    logger.info({ table, days, ...due, perSecond }, 'Deleting old rows of the ledger')
    const before = this.#deleted
    let isDone = false
    let cursor = fromTheFirst
    while (!isDone && !signal.aborted) {
      const startedAt = performance.now()
      const step = await this.#rows.deleteStep(cursor)
      if (!step.isHeld) {
        logger.warn({ table }, 'Another process has taken over deleting old rows of the ledger')
        return false
      }
      this.#deleted += step.deleted
      cursor = step.cursor
      isDone = step.deleted < stepRows
      if (!isDone) await sleep(Math.max(pauseMs, performance.now() - startedAt), signal)
    }
    logger.info({ table, deleted: this.#deleted - before, isDone }, 'Old rows of the ledger are deleted')
    return isDone
  }
}
