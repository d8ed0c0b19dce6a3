import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { ResultRecorder } from './result-recorder.js'

export interface ClaimSourceOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  recipients: readonly string[]
  leases: LeaseKeeper
  /** Index of the recipient to begin with. */
  firstIndex: number
  /** How many are claimed at a time when so many are asked for. */
  chunkSizeFor(asked: number): number
  /** Releases the claims that are not going to be served. */
  recorder: Pick<ResultRecorder, 'release'>
}

/**
 * Claims the recipients in their order, chunk by chunk. The next chunk is claimed when somebody asks for a claim and none
 * waits, so one slow recipient holds up nobody else. Another content under the message's id is found with the first chunk,
 * before anybody is served: once that chunk is claimed, the id has this content.
 */
export class ClaimSource {
  readonly #options: ClaimSourceOptions
  /** In the order of the recipients, with their indexes. */
  #waiting: { claim: Claim; index: number }[] = []
  /** Index of the first recipient who is neither claimed nor being claimed. */
  #position: number
  /** Calls of `next` that wait for a claim. */
  #asking = 0
  #claiming: Promise<void> | undefined
  #stopped = false

  constructor(options: ClaimSourceOptions) {
    this.#options = options
    this.#position = options.firstIndex
  }

  /** Index of the first recipient who is not handed out; everybody before was, or is not to be served. */
  get position(): number {
    return this.#waiting[0]?.index ?? this.#position
  }

  /** There is nobody left to be handed out. */
  get isExhausted(): boolean {
    return this.#claiming === undefined && this.position >= this.#options.recipients.length
  }

  /**
   * The next recipient to be served; undefined when there is none left, and after `stop`.
   * @throws what the ledger throws
   */
  async next(): Promise<Claim | undefined> {
    this.#asking += 1
    try {
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
    } finally {
      this.#asking -= 1
    }
  }

  /** Claims no more, and releases the claims that `next` has not handed out. */
  stop(): void {
    this.#stopped = true
    this.#position = this.position
    this.#options.recorder.release(this.#waiting.map(({ claim }) => claim))
    this.#waiting = []
  }

  async #claimChunk(): Promise<void> {
    const { chunkSizeFor, ledger, message, recipients, leases, recorder } = this.#options
    const start = this.#position
    const chunk = recipients.slice(start, start + chunkSizeFor(this.#asking))
    this.#position += chunk.length
    const askedAt = performance.now()
    const claims = await ledger.claim(message, chunk)
    if (this.#stopped) {
      this.#position = start
      return recorder.release(claims)
    }
    leases.hold(claims, askedAt)
    const byRecipient = new Map(claims.map((claim) => [claim.recipient, claim]))
    this.#waiting = chunk.flatMap((recipient, offset) => {
      const claim = byRecipient.get(recipient)
      return claim === undefined ? [] : [{ claim, index: start + offset }]
    })
  }

  #takeWaiting(): Claim | undefined {
    const { leases, recorder } = this.#options
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { claim } = next
      if (leases.isHeld(claim)) return claim
      recorder.release([claim])
    }
    return undefined
  }
}
