import { setMaxListeners } from 'node:events'
import { DeferError } from '@mono/message-queue'
import { ClaimSource } from './claim-source.js'
import type { Claim } from './delivery-ledger.js'
import { LeaseKeeper } from './lease-keeper.js'
import { ResultRecorder } from './result-recorder.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'
import { ServeShare } from './serve-share.js'

export interface ServeRunOptions extends Omit<ServeRecipientsOptions, 'resumeAt'> {
  /** Distinct. */
  recipients: readonly string[]
  /** Index of the recipient to begin with. */
  firstIndex: number
}

export interface ServeRunOutcome {
  /** The results of those who were served in this run. */
  results: ReadonlyMap<string, ServeResult>
  /** Each of the results is certainly in the ledger. */
  isRecorded: boolean
  /** Index of the first recipient who is left for another time, if the message gives way to others. */
  nextIndex?: number
}

/**
 * One run over the recipients of a message: claims them, serves so many at a time, records the results.
 *
 * Its parts know each other in one direction, `ClaimSource` → `ResultRecorder` → `LeaseKeeper`. Only a recorder that
 * has to give results up calls back, to `#stop`. A run is stopped by the first error or by the signal: it then claims
 * and serves nobody else, releases the claims that wait, and ends when those who are being served are done and recorded. It
 * ends in the same way, without an error, when it has served its share.
 */
export class ServeRun {
  readonly #options: ServeRunOptions
  readonly #leases: LeaseKeeper
  readonly #recorder: ResultRecorder
  readonly #claims: ClaimSource
  readonly #share: ServeShare
  readonly #results = new Map<string, ServeResult>()
  /** Aborted when nobody else is to be served. */
  readonly #stopping = new AbortController()
  #givesWay = false
  /** The first error that stopped the run. */
  #failure: { error: unknown } | undefined

  constructor(options: ServeRunOptions) {
    const { ledger, message, recipients, firstIndex, logger, signal, admit, othersMayWait = () => false } = options
    this.#options = options
    // Every recipient that waits to be admitted listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#stopping.signal)
    const leases = new LeaseKeeper({ ledger, message, logger })
    const onFailed = (error: unknown) => this.#stop(error)
    const recorder = new ResultRecorder({ ledger, message, leases, logger, signal, onFailed })
    this.#leases = leases
    this.#recorder = recorder
    const claimsAhead = admit === undefined
    this.#claims = new ClaimSource({ ledger, message, recipients, firstIndex, claimsAhead, leases, recorder })
    this.#share = new ServeShare({ othersMayWait, onEnd: () => this.#giveWay() })
  }

  /** Is called once. @throws the error that stopped the run, the signal's reason first */
  async run(): Promise<ServeRunOutcome> {
    const { signal, concurrency, recipients } = this.#options
    signal.throwIfAborted()
    const onAbort = () => {
      this.#leases.stop()
      this.#stop(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#share.start()
    try {
      const workers = Math.min(concurrency, recipients.length)
      await Promise.all(Array.from({ length: workers }, () => this.#work()))
      await this.#recorder.finish()
    } finally {
      this.#share.stop()
      this.#leases.stop()
      signal.removeEventListener('abort', onAbort)
    }
    signal.throwIfAborted()
    if (this.#failure) throw this.#toFailure(this.#failure.error)
    const outcome = { results: this.#results, isRecorded: this.#recorder.isComplete }
    return this.#givesWay ? { ...outcome, nextIndex: this.#claims.position } : outcome
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted && !this.#claims.isExhausted) {
      const leave = await this.#admit()
      if (leave === undefined) return
      try {
        const claim = await this.#next()
        if (claim === undefined) return
        await this.#serveOne(claim)
      } finally {
        leave()
      }
    }
  }

  /** @returns undefined if nobody else is to be served */
  async #admit(): Promise<(() => void) | undefined> {
    const { signal } = this.#stopping
    try {
      return (await this.#options.admit?.(signal)) ?? (() => {})
    } catch (error) {
      if (!signal.aborted) this.#stop(error)
      return undefined
    }
  }

  async #next(): Promise<Claim | undefined> {
    await this.#recorder.ready()
    try {
      return await this.#claims.next()
    } catch (error) {
      this.#stop(error)
      return undefined
    }
  }

  async #serveOne(claim: Claim): Promise<void> {
    const { signal, serve } = this.#options
    try {
      const result = await serve(claim, signal)
      this.#results.set(claim.recipient, result)
      this.#leases.markServed(claim)
      this.#recorder.add(claim, result)
      if (result.kind !== 'defer') this.#share.count()
    } catch (error) {
      const isUnsent = error instanceof DeferError || (signal.aborted && error === signal.reason)
      if (isUnsent) this.#recorder.release([claim])
      else this.#leases.drop([claim])
      this.#stop(error)
    }
  }

  /** A deferral says that a part of the work was done, if it was. */
  #toFailure(error: unknown): unknown {
    const hasProgressed = this.#recorder.isComplete && [...this.#results.values()].some(isFinal)
    if (!hasProgressed || !(error instanceof DeferError)) return error
    const { code, delayMs, message } = error
    return new DeferError(message, { code, ...(delayMs !== undefined && { delayMs }), hasProgressed, cause: error })
  }

  #giveWay(): void {
    if (this.#stopping.signal.aborted || this.#claims.isExhausted) return
    this.#givesWay = true
    this.#claims.stop()
    this.#stopping.abort()
  }

  #stop(error: unknown): void {
    this.#failure ??= { error }
    this.#claims.stop()
    this.#stopping.abort()
  }
}

function isFinal({ kind }: ServeResult): boolean {
  return kind === 'sent' || kind === 'failed' || kind === 'unknown'
}
