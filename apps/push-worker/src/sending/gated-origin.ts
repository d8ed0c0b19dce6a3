import type { Logger } from '@mono/message-queue'
import { backoffMs, createSlots, type Slots } from '@mono/waiting'
import { endpointsToClose } from './endpoints-to-close.js'
import type { OriginReport } from './origin-report.js'

/** A request that was let through; `leave` is to be called once, whatever became of it. */
export interface Passage {
  /** Milliseconds until the gate opens for this endpoint, if this report or that of another request has closed it. */
  leave(report: OriginReport): number | undefined
}

/** Whose request wants to enter. Tenants take turns. */
export interface Entry {
  tenantId: number
  signal: AbortSignal
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

/** By then the messages of whoever was turned away are back from the longest retry queue. */
const reservedMs = 60_000

/** Of those that were tried in vain; the others are tried first. */
const endpointsToKeep = 1000

const closedReason = new Error('The gate is closed')
const lateReason = new Error('The push service takes notifications more slowly than they come')

/** A request waits in line no longer than this, because its message's time is limited. */
const deadlineInLine = { ms: 60_000, createError: () => lateReason }

/**
 * One push service behind its gate.
 *
 * | state | requests | next |
 * | --- | --- | --- |
 * | open | `concurrency` at a time | closed by five failures in a row or one request that finds it down; suspected when as many different endpoints as `endpointsToClose` are refused with nothing accepted between |
 * | suspected | those under way go on, then one at a time | open when one is accepted; closed by a refusal when nothing else is under way |
 * | closed | turned away, those that wait for their turn too | trial when its time is up |
 * | trial | one at a time | open when one is answered, after refusals when one is accepted; closed again when one fails |
 *
 * What a single endpoint has shown holds for that endpoint: when all failures are its own, others have their trial at
 * once. A trial is made with an endpoint that has not been tried in vain, as long as one of those has been turned away
 * and may come back: otherwise the bad one would win every trial, and the good ones wait for ever.
 *
 * Each change between open and closed begins an epoch. The report of a request that entered in an earlier one says
 * nothing new.
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
  /** Endpoints of the failures in a row. */
  readonly #failed = new Set<string>()
  /** Endpoints that were refused since the last notification was accepted, and how long they are to wait. */
  readonly #refused = new Map<string, number | undefined>()
  /** The gate is closed for those that were not tried too. */
  #isClosedForAll = false
  /** Somebody who was not tried was turned away since the gate was closed. */
  #hasTurnedAway = false

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
    return this.#slots.held === 0 && this.#slots.waiting === 0 && this.#untilOpenMs() === undefined
  }

  /**
   * Waits for the request's turn. A number is the milliseconds to wait instead; undefined: its turn has not come in time.
   * @throws the signal's reason
   */
  async enter(endpoint: string, { tenantId, signal }: Entry): Promise<Passage | number | undefined> {
    const closedMs = this.#turnAway(endpoint)
    if (closedMs !== undefined) return closedMs
    try {
      await this.#slots.acquire(signal, { group: tenantId, deadline: deadlineInLine })
    } catch (error) {
      if (error === closedReason) return this.#turnAway(endpoint) ?? 0
      if (error === lateReason) return undefined
      throw error
    }
    const closedMeanwhileMs = this.#turnAway(endpoint)
    if (closedMeanwhileMs !== undefined) {
      this.#slots.release()
      return closedMeanwhileMs
    }
    const epoch = this.#epoch
    return { leave: (report) => this.#leave(endpoint, report, epoch) }
  }

  #turnAway(endpoint: string): number | undefined {
    const remainingMs = this.#remainingMs(endpoint)
    if (remainingMs !== undefined && !this.#wasTriedInVain(endpoint)) this.#hasTurnedAway = true
    return remainingMs
  }

  #leave(endpoint: string, report: OriginReport, epochAtEntry: number): number | undefined {
    if (this.#epoch === epochAtEntry) this.#take(endpoint, report)
    this.#slots.release()
    return this.#remainingMs(endpoint)
  }

  #take(endpoint: string, report: OriginReport): void {
    if (report.kind === 'none') return
    if (report.kind === 'failing' || report.kind === 'down') {
      this.#takeFailure(endpoint, report)
      return
    }
    this.#failures = 0
    this.#failed.clear()
    if (report.kind === 'accepted') this.#refused.clear()
    if (report.kind === 'refused') this.#keepRefused(endpoint, report.waitMs)
    if (!this.#isSuspected) this.#open()
    else if (report.kind === 'refused') this.#suspect(report)
  }

  #takeFailure(endpoint: string, report: Extract<OriginReport, { kind: 'failing' | 'down' }>): void {
    const { kind, code } = report
    this.#failures += 1
    if (this.#failed.size < endpointsToKeep) this.#failed.add(endpoint)
    if (kind === 'failing' && this.#failures < failuresToClose && !this.isClosed) return
    const waitMs = kind === 'down' ? report.waitMs : undefined
    this.#close({ code, forAll: kind === 'down' || this.#failed.size > 1 || this.#isSuspected, waitMs })
  }

  #keepRefused(endpoint: string, waitMs: number | undefined): void {
    if (this.#refused.size < endpointsToKeep || this.#refused.has(endpoint)) this.#refused.set(endpoint, waitMs)
  }

  #suspect({ code }: Extract<OriginReport, { kind: 'refused' }>): void {
    this.#slots.resize(1)
    // What is under way with other endpoints may be accepted yet.
    if (this.#slots.held > 1) return
    this.#close({ code, forAll: true, waitMs: this.#shortestWaitMs() })
  }

  get #isSuspected(): boolean {
    return this.#refused.size >= endpointsToClose
  }

  /** That all of them were told to wait so long at least; undefined if one of them was not told. */
  #shortestWaitMs(): number | undefined {
    const shortestMs = Math.min(...[...this.#refused.values()].map((waitMs) => waitMs ?? Number.NaN))
    return Number.isNaN(shortestMs) ? undefined : shortestMs
  }

  #open(): void {
    const { origin, concurrency, logger } = this.#options
    this.#slots.resize(concurrency)
    if (!this.isClosed) return
    this.#closings = 0
    this.#epoch += 1
    this.#hasTurnedAway = false
    logger.info({ origin }, 'A push service answers again')
  }

  #close({ code, forAll, waitMs }: { code: string; forAll: boolean; waitMs?: number | undefined }): void {
    const { origin, logger, now, random } = this.#options
    this.#closings += 1
    this.#epoch += 1
    this.#isClosedForAll = forAll
    this.#hasTurnedAway = false
    this.#openAt = Math.max(this.#openAt, now() + (waitMs ?? backoffMs(this.#closings, { ...closingTimes, random })))
    // From now on one request at a time, until one is answered.
    this.#slots.resize(1)
    this.#slots.refuseWaiting(closedReason)
    const data = { origin, code, waitMs: this.#untilOpenMs() }
    if (this.#closings === 1) logger.warn(data, 'A push service has to be left alone; its devices wait')
    else logger.debug(data, 'A push service still has to be left alone')
  }

  #remainingMs(endpoint: string): number | undefined {
    if (!this.isClosed) return undefined
    if (!this.#isClosedForAll && !this.#failed.has(endpoint)) return undefined
    const untilOpenMs = this.#untilOpenMs()
    if (untilOpenMs !== undefined) return untilOpenMs
    const isReserved = this.#hasTurnedAway && this.#options.now() < this.#openAt + reservedMs
    return isReserved && this.#wasTriedInVain(endpoint) ? closingTimes.first : undefined
  }

  #wasTriedInVain(endpoint: string): boolean {
    return this.#failed.has(endpoint) || this.#refused.has(endpoint)
  }

  #untilOpenMs(): number | undefined {
    const untilOpenMs = this.#openAt - this.#options.now()
    return untilOpenMs > 0 ? untilOpenMs : undefined
  }
}
