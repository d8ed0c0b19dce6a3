import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { ResultRecorder } from './result-recorder.js'

export interface ClaimSourceOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  recipients: readonly string[]
  leases: LeaseKeeper
  /** Releases the claims that are not going to be served. */
  recorder: Pick<ResultRecorder, 'release'>
}

/** Recipients claimed at a time: as many may wait for their turn, and stay leased when the process dies. */
const chunkSize = 200

/**
 * Claims the recipients chunk by chunk. The next chunk is claimed when somebody asks for a claim and none waits, so one
 * slow recipient holds up nobody else. Another content under the message's id is found with the first chunk, before anybody
 * is served: once that chunk is claimed, the id has this content.
 */
export class ClaimSource {
  readonly #options: ClaimSourceOptions
  #waiting: Claim[] = []
  /** How many of the recipients are claimed, or being claimed. */
  #position = 0
  #claiming: Promise<void> | undefined
  #stopped = false

  constructor(options: ClaimSourceOptions) {
    this.#options = options
  }

  /**
   * The next recipient to be served; undefined when there is none left, and after `stop`.
   * @throws what the ledger throws
   */
  async next(): Promise<Claim | undefined> {
    while (!this.#stopped) {
      const claim = this.#takeWaiting()
      if (claim) return claim
      if (!this.#claiming && this.#position >= this.#options.recipients.length) return undefined
      this.#claiming ??= this.#claimChunk().finally(() => {
        this.#claiming = undefined
      })
      await this.#claiming
    }
    return undefined
  }

  /** Claims no more, and releases the claims that `next` has not handed out. */
  stop(): void {
    this.#stopped = true
    this.#options.recorder.release(this.#waiting)
    this.#waiting = []
  }

  async #claimChunk(): Promise<void> {
    const { ledger, message, recipients, leases, recorder } = this.#options
    const chunk = recipients.slice(this.#position, this.#position + chunkSize)
    this.#position += chunk.length
    const askedAt = performance.now()
    const claims = await ledger.claim(message, chunk)
    if (this.#stopped) return recorder.release(claims)
    leases.hold(claims, askedAt)
    this.#waiting = [...claims]
  }

  #takeWaiting(): Claim | undefined {
    const { leases, recorder } = this.#options
    for (let claim = this.#waiting.shift(); claim; claim = this.#waiting.shift()) {
      if (leases.isHeld(claim)) return claim
      recorder.release([claim])
    }
    return undefined
  }
}
