import { DeferError } from '@mono/message-queue'
import { createSlots, type Slots } from '@mono/waiting'
import { ClaimSource } from './claim-source.js'
import type { Claim } from './delivery-ledger.js'
import { isFinal } from './is-final.js'
import { LeaseKeeper } from './lease-keeper.js'
import { ResultRecorder } from './result-recorder.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'
import type { ServeShare } from './serve-share.js'

/** The reason of the abort: without a reason, each abort would make an error with its stack. */
const noneLeft = 'Nobody else is to be served'

/** Claimed at a time, at most, of a message whose recipients are not admitted one by one. */
const maxClaimsAhead = 200

export interface ServeRunOptions
  extends Omit<ServeRecipientsOptions, 'resumeAt' | 'groupOf' | 'othersMayWait' | 'onMerged'> {
  /** The name of the group. */
  name: string
  /** The recipients of the group; distinct. */
  recipients: readonly string[]
  /** Index of the recipient to begin with. */
  firstIndex: number
  /** Of the whole message. */
  share: Pick<ServeShare, 'count'>
}

export interface ServeRunOutcome {
  /** The results of those who were served in this run. */
  results: ReadonlyMap<string, ServeResult>
  /** Each of the results is certainly in the ledger. */
  isRecorded: boolean
  /** Somebody is left for another time, because the message gives way to others. */
  givesWay: boolean
  /** Index of the first recipient who has not had a turn. */
  nextIndex: number
}

/**
 * One run over the recipients of a message, or over one group of them: claims them, serves so many at a time, records the results.
 *
 * Its parts know each other in one direction, `ClaimSource` → `ResultRecorder` → `LeaseKeeper`. Only a recorder that
 * has to give results up calls back, to `stop`. A run is stopped by the first error or by the signal: it then claims
 * and serves nobody else, releases the claims that wait, and ends when those who are being served are done and recorded. It
 * ends in the same way, without an error, when it has served its share.
 */
export class ServeRun {
  readonly #options: ServeRunOptions
  readonly #leases: LeaseKeeper
  readonly #recorder: ResultRecorder
  readonly #claims: ClaimSource
  readonly #results = new Map<string, ServeResult>()
  readonly #inService: Slots
  /** Aborted when nobody else is to be handed out. */
  readonly #stopping = new AbortController()
  #givesWay = false
  /** The first error that stopped the run. */
  #failure: { error: unknown } | undefined

  constructor(options: ServeRunOptions) {
    const { ledger, message, recipients, firstIndex, concurrency, logger, signal } = options
    this.#options = options
    this.#inService = createSlots(concurrency)
    const leases = new LeaseKeeper({ ledger, message, logger })
    const onFailed = (error: unknown) => this.stop(error)
    const recorder = new ResultRecorder({ ledger, message, leases, logger, signal, onFailed })
    this.#leases = leases
    this.#recorder = recorder
    const chunkSizeFor = (asked: number) => this.#chunkSizeFor(asked)
    this.#claims = new ClaimSource({ ledger, message, recipients, firstIndex, chunkSizeFor, leases, recorder })
  }

  /** Is called once. @throws the error that stopped the run, the signal's reason first */
  async run(): Promise<ServeRunOutcome> {
    const { signal } = this.#options
    signal.throwIfAborted()
    const onAbort = () => {
      this.#leases.stop()
      this.stop(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await this.#serveInTurn()
    } finally {
      this.#leases.stop()
      signal.removeEventListener('abort', onAbort)
    }
    signal.throwIfAborted()
    if (this.#failure) throw this.#failure.error
    return {
      results: this.#results,
      isRecorded: this.#recorder.isComplete,
      givesWay: this.#givesWay,
      nextIndex: this.#claims.position,
    }
  }

  /** Somebody is final now who was not. */
  get hasProgressed(): boolean {
    return this.#recorder.isComplete && [...this.#results.values()].some(({ kind }) => isFinal(kind))
  }

  /** Serves nobody else, unless those who are left are under way. */
  giveWay(): void {
    if (this.#stopping.signal.aborted || this.#claims.isExhausted) return
    this.#givesWay = true
    this.#claims.stop()
    this.#stopping.abort(noneLeft)
  }

  /** Serves nobody else, because of this error. */
  stop(error: unknown): void {
    this.#failure ??= { error }
    this.#claims.stop()
    this.#stopping.abort(noneLeft)
  }

  /** As many may wait for their turn, and stay leased when the process dies; but the fewer a statement has, the more it costs. */
  #chunkSizeFor(asked: number): number {
    const { admit, concurrency, othersAreInLine } = this.#options
    if (admit === undefined) return maxClaimsAhead
    return othersAreInLine?.() ? asked : Math.max(asked, concurrency)
  }

  /** Waits for the turn of the group, and serves it. */
  async #serveInTurn(): Promise<void> {
    const { admitGroup, name, recipients, firstIndex } = this.#options
    const size = recipients.length - firstIndex
    if (size <= 0) return
    const leave = await this.#admittedBy((signal) => admitGroup?.({ name, size }, signal))
    if (leave === undefined) return
    try {
      await this.#serveAll(size)
      await this.#recorder.finish()
    } finally {
      leave()
    }
  }

  /**
   * Admits one recipient after the other, and serves side by side those who are: of one message only one stands in line, and
   * nothing is kept in memory for those behind.
   */
  async #serveAll(count: number): Promise<void> {
    const { admit } = this.#options
    const { signal } = this.#stopping
    const underWay = new Set<Promise<void>>()
    for (let admitted = 0; admitted < count && !signal.aborted; admitted += 1) {
      const leave = await this.#admittedBy(async (stopping) => {
        await this.#inService.acquire(stopping)
        return await admit?.(stopping)
      })
      if (leave === undefined) break
      const serving = this.#serveNext().finally(() => {
        leave()
        this.#inService.release()
        underWay.delete(serving)
      })
      underWay.add(serving)
    }
    await Promise.all(underWay)
  }

  /** @returns undefined if nobody else is to be served */
  async #admittedBy(
    admit: (signal: AbortSignal) => Promise<(() => void) | undefined> | undefined,
  ): Promise<(() => void) | undefined> {
    const { signal } = this.#stopping
    try {
      return (await admit(signal)) ?? (() => {})
    } catch (error) {
      if (!signal.aborted) this.stop(error)
      return undefined
    }
  }

  async #serveNext(): Promise<void> {
    const claim = await this.#next()
    if (claim !== undefined) await this.#serveOne(claim)
  }

  async #next(): Promise<Claim | undefined> {
    await this.#recorder.ready()
    try {
      const claim = await this.#claims.next()
      if (this.#claims.isExhausted) this.#stopping.abort(noneLeft)
      return claim
    } catch (error) {
      this.stop(error)
      return undefined
    }
  }

  async #serveOne(claim: Claim): Promise<void> {
    const { signal, serve, share } = this.#options
    try {
      const result = await serve(claim, signal)
      this.#results.set(claim.recipient, result)
      this.#leases.markServed(claim)
      this.#recorder.add(claim, result)
      share.count({ wasTried: result.kind !== 'defer' })
    } catch (error) {
      const isUnsent = error instanceof DeferError || (signal.aborted && error === signal.reason)
      if (isUnsent) this.#recorder.release([claim])
      else this.#leases.drop([claim])
      this.stop(error)
    }
  }
}
