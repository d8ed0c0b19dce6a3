import { DeferError, type SettledEvent } from '@mono/message-queue'
import { backoffMs } from '@mono/waiting'
import type { Dependency } from './dependency.js'
import { describeError } from './describe-error.js'
import type { RuntimeLogger } from './logger.js'
import { TrialBoundary } from './trial-boundary.js'

/**
 * - `closed`: the dependency is used
 * - `open`: it cannot be used; nothing is taken
 * - `trial`: it has answered; it is not known yet whether it does its work
 */
export type BreakerState = 'closed' | 'open' | 'trial'

export interface BreakerStatus {
  state: BreakerState
  /** Why it is open. */
  error?: string
}

export interface BreakerOptions {
  dependency: Dependency
  logger: RuntimeLogger
  countInFlight(): number
  /** Nothing is to be taken, for this reason. */
  onOpen(reason: DeferError): void
  /** The dependency can be used again, as far as this breaker knows. */
  onTrial(): void
}

/** Deferrals in a row. */
const missesToOpen = 5

/** Before a probe of an open breaker. Work is to go on within ten seconds of the dependency's return. */
const backoff = { first: 100, max: 3000 }

/**
 * The one watcher of a dependency, closed from the beginning. It probes from its creation until `stop`, never twice at a
 * time.
 *
 * | state | probes | next |
 * | --- | --- | --- |
 * | `closed` | every `everyMs` | `open` when a probe fails, or when five deliveries were deferred with the dependency's code and none acknowledged or retried between them |
 * | `open` | with back-off | `trial` when a probe is answered |
 * | `trial` | every `everyMs` | `closed` when a delivery is acknowledged that has used the dependency; `open` when a probe fails or a single delivery is deferred with the code, and the back-off goes on growing |
 *
 * In trial no other outcome of a delivery says anything: it may not have come as far as the dependency.
 */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #dependency: Dependency
  readonly #boundary = new TrialBoundary()
  #status: BreakerStatus = { state: 'closed' }
  /** Deliveries in a row that have missed the dependency. */
  #misses = 0
  /** Probes while open, since it was closed last. */
  #openProbes = 0
  #openSince = 0
  #probing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #lastCause: string | undefined

  constructor(options: BreakerOptions) {
    this.#options = options
    this.#dependency = options.dependency
    this.#planProbe()
  }

  get status(): BreakerStatus {
    return this.#status
  }

  /** To be told of every delivery. */
  onSettled(event: SettledEvent): void {
    if (this.#stopped || this.#status.state === 'open') return
    const isMiss = event.outcome === 'deferred' && event.code !== undefined && event.code === this.#dependency.code
    if (this.#boundary.excludes(event, isMiss)) return
    if (isMiss) this.#miss()
    else if (event.outcome === 'acked' || event.outcome === 'gave-way') this.#succeed()
    else if (event.outcome === 'retried') this.#misses = 0
  }

  /** A delivery is about to be deferred for this reason. */
  noteCause(error: DeferError): void {
    if (error.code === this.#dependency.code) this.#lastCause = describeError(error)
  }

  /** Probes at once, if it is probed while it is well. @returns why it is open, if so */
  async probeNow(): Promise<string | undefined> {
    if (this.#status.state !== 'open' && this.#dependency.everyMs !== undefined && !this.#stopped) {
      clearTimeout(this.#timer)
      await (this.#probing ?? this.#probe())
    }
    return this.#status.state === 'open' ? (this.#status.error ?? this.#dependency.name) : undefined
  }

  openFor(reason: string): void {
    if (this.#stopped || this.#status.state === 'open') return
    this.#open(reason)
    this.#planProbe()
  }

  /** Ends the probing. The status stays. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #miss(): void {
    const { code } = this.#dependency
    this.#misses += 1
    const cause = this.#lastCause === undefined ? '' : `, the last one because: ${this.#lastCause}`
    if (this.#status.state === 'trial') this.#open(`it answered, but then a delivery was deferred with ${code}${cause}`)
    else if (this.#misses >= missesToOpen) this.#open(`${this.#misses} deliveries were deferred with ${code}${cause}`)
    else return
    this.#planProbe()
  }

  #succeed(): void {
    this.#misses = 0
    const usedAt = this.#dependency.usedAt?.() ?? this.#boundary.since
    if (this.#status.state !== 'trial' || usedAt < this.#boundary.since) return
    this.#status = { state: 'closed' }
    this.#openProbes = 0
  }

  /** A probe that is under way plans the next one when it ends. */
  #planProbe(): void {
    clearTimeout(this.#timer)
    if (this.#stopped || this.#probing !== undefined) return
    const delayMs = this.#nextDelayMs()
    if (delayMs !== undefined) this.#timer = setTimeout(() => void this.#probe(), delayMs)
  }

  #nextDelayMs(): number | undefined {
    if (this.#status.state !== 'open') return this.#dependency.everyMs
    this.#openProbes += 1
    return backoffMs(this.#openProbes, backoff)
  }

  #probe(): Promise<void> {
    this.#probing = this.#ask()
    return this.#probing
  }

  async #ask(): Promise<void> {
    const wasOpen = this.#status.state === 'open'
    const error = await this.#findFault()
    this.#probing = undefined
    if (this.#stopped) return
    if (error !== undefined) this.#open(error)
    // A probe begun before the breaker opened proves nothing about it now.
    else if (wasOpen) this.#beginTrial()
    this.#planProbe()
  }

  async #findFault(): Promise<string | undefined> {
    try {
      await this.#dependency.probe()
      return undefined
    } catch (error) {
      return describeError(error)
    }
  }

  #open(error: string): void {
    const wasOpen = this.#status.state === 'open'
    this.#status = { state: 'open', error }
    if (wasOpen) return
    const { name, code } = this.#dependency
    const { logger, onOpen } = this.#options
    this.#misses = 0
    this.#openSince = performance.now()
    logger.warn({ dependency: name, reason: error }, 'A dependency cannot be used; nothing is taken until it can')
    onOpen(new DeferError(`${name} cannot be used (${error})`, code === undefined ? {} : { code }))
  }

  #beginTrial(): void {
    const { logger, countInFlight, onTrial } = this.#options
    this.#status = { state: 'trial' }
    this.#boundary.draw(countInFlight())
    const openMs = Math.round(this.#boundary.since - this.#openSince)
    logger.info({ dependency: this.#dependency.name, openMs }, 'A dependency answers again; deliveries are taken')
    onTrial()
  }
}
