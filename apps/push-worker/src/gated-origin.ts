import type { Logger } from '@mono/message-queue'
import { backoffMs, createSlots, type Slots } from '@mono/waiting'
import type { OriginReport } from './origin-report.js'

/** A request that was let through; `leave` is to be called once, whatever became of it. */
export interface Passage {
  /** Milliseconds until the gate opens again, if this report or that of another request has closed it. */
  leave(report: OriginReport): number | undefined
}

export interface GatedOriginOptions {
  origin: string
  /** Requests at a time. */
  concurrency: number
  logger: Logger
  /** Milliseconds since 1970. */
  now(): number
  /** From 0 to 1. */
  random(): number
}

const failuresToClose = 5

/**
 * How long the gate stays closed when the push service has not said it. One trial in that time is no burden to anybody,
 * and work has to go on within 10 s of the push service's return.
 */
const closingTimes = { first: 5_000, max: 8_000 }

const closedReason = new Error('The gate is closed')

/**
 * One push service behind its gate.
 *
 * | state | requests | next |
 * | --- | --- | --- |
 * | open | `concurrency` at a time | closed by five failures in a row, or by one request that says so |
 * | closed | turned away, those that wait for their turn too | trial when its time is up |
 * | trial | one at a time | open when one is answered; closed, and longer than before, when one fails |
 *
 * Each change between open and closed begins an epoch. The report of a request that entered in an earlier one says
 * nothing new, except for how long the push service wants to be left alone.
 */
export class GatedOrigin {
  readonly #options: GatedOriginOptions
  readonly #slots: Slots
  #openAt = 0
  #epoch = 0
  /** In a row. */
  #failures = 0
  /** In a row, until a request is answered. */
  #closings = 0

  constructor(options: GatedOriginOptions) {
    this.#options = options
    this.#slots = createSlots(options.concurrency)
  }

  /** It had to be left alone and has not answered since. */
  get isClosed(): boolean {
    return this.#closings > 0
  }

  /** Nobody uses it, and its gate is not closed for a time to come: it can be forgotten. */
  get isIdle(): boolean {
    return this.#slots.held === 0 && this.#slots.waiting === 0 && this.#remainingMs() === undefined
  }

  /** Waits for the request's turn; a number is the milliseconds to wait instead. @throws the signal's reason */
  async enter(signal: AbortSignal): Promise<Passage | number> {
    const closedMs = this.#remainingMs()
    if (closedMs !== undefined) return closedMs
    try {
      await this.#slots.acquire(signal)
    } catch (error) {
      if (error === closedReason) return this.#remainingMs() ?? 0
      throw error
    }
    const closedMeanwhileMs = this.#remainingMs()
    if (closedMeanwhileMs !== undefined) {
      this.#slots.release()
      return closedMeanwhileMs
    }
    const epoch = this.#epoch
    return { leave: (report) => this.#leave(report, epoch) }
  }

  #leave(report: OriginReport, epochAtEntry: number): number | undefined {
    if (this.#epoch === epochAtEntry) this.#take(report)
    else if (report.kind === 'closed' && report.waitMs !== undefined) this.#keepClosedFor(report.waitMs)
    this.#slots.release()
    return this.#remainingMs()
  }

  #take(report: OriginReport): void {
    if (report.kind === 'none') return
    if (report.kind === 'alive') {
      this.#open()
      return
    }
    this.#failures += 1
    if (report.kind === 'closed') this.#close(report.code, report.waitMs)
    else if (this.#failures >= failuresToClose || this.isClosed) this.#close(report.code)
  }

  #open(): void {
    this.#failures = 0
    if (!this.isClosed) return
    const { origin, concurrency, logger } = this.#options
    this.#closings = 0
    this.#epoch += 1
    this.#slots.resize(concurrency)
    logger.info({ origin }, 'A push service answers again')
  }

  #close(code: string, waitMs?: number): void {
    const { origin, logger, random } = this.#options
    this.#closings += 1
    this.#epoch += 1
    this.#keepClosedFor(waitMs ?? backoffMs(this.#closings, { ...closingTimes, random }))
    // From now on one request at a time, until one is answered.
    this.#slots.resize(1)
    this.#slots.refuseWaiting(closedReason)
    const data = { origin, code, waitMs: this.#remainingMs() }
    if (this.#closings === 1) logger.warn(data, 'A push service has to be left alone; its devices wait')
    else logger.debug(data, 'A push service still has to be left alone')
  }

  #keepClosedFor(ms: number): void {
    this.#openAt = Math.max(this.#openAt, this.#options.now() + ms)
  }

  #remainingMs(): number | undefined {
    const remainingMs = this.#openAt - this.#options.now()
    return remainingMs > 0 ? remainingMs : undefined
  }
}
