import { DeferError } from '@mono/message-queue'
import { ClaimSource } from './claim-source.js'
import type { Claim } from './delivery-ledger.js'
import { LeaseKeeper } from './lease-keeper.js'
import { ResultRecorder } from './result-recorder.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'

export interface ServeRunOutcome {
  /** The results of those who were served in this run. */
  results: ReadonlyMap<string, ServeResult>
  /** Each of the results is certainly in the ledger. */
  isRecorded: boolean
}

/**
 * One run over the recipients of a message: claims them, serves so many at a time, records the results.
 *
 * Its parts know each other in one direction, `ClaimSource` → `ResultRecorder` → `LeaseKeeper`. Only a recorder that
 * has to give results up calls back, to `#stop`. A run is stopped by the first error or by the signal: it then claims
 * and serves nobody else, releases the claims that wait, and ends when those who are being served are done and recorded.
 */
export class ServeRun {
  readonly #options: ServeRecipientsOptions
  readonly #leases: LeaseKeeper
  readonly #recorder: ResultRecorder
  readonly #claims: ClaimSource
  readonly #results = new Map<string, ServeResult>()
  /** The first error that stopped the run. */
  #failure: { error: unknown } | undefined

  /** Recipients must be distinct. */
  constructor(options: ServeRecipientsOptions) {
    const { ledger, message, recipients, logger, signal } = options
    this.#options = options
    const leases = new LeaseKeeper({ ledger, message, logger })
    const onFailed = (error: unknown) => this.#stop(error)
    const recorder = new ResultRecorder({ ledger, message, leases, logger, signal, onFailed })
    this.#leases = leases
    this.#recorder = recorder
    this.#claims = new ClaimSource({ ledger, message, recipients, leases, recorder })
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
    try {
      const workers = Math.min(concurrency, recipients.length)
      await Promise.all(Array.from({ length: workers }, () => this.#work()))
      await this.#recorder.finish()
    } finally {
      this.#leases.stop()
      signal.removeEventListener('abort', onAbort)
    }
    signal.throwIfAborted()
    if (this.#failure) throw this.#failure.error
    return { results: this.#results, isRecorded: this.#recorder.isComplete }
  }

  async #work(): Promise<void> {
    for (let claim = await this.#next(); claim; claim = await this.#next()) await this.#serveOne(claim)
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
    } catch (error) {
      const isUnsent = error instanceof DeferError || (signal.aborted && error === signal.reason)
      if (isUnsent) this.#recorder.release([claim])
      else this.#leases.drop([claim])
      this.#stop(error)
    }
  }

  #stop(error: unknown): void {
    this.#failure ??= { error }
    this.#claims.stop()
  }
}
