import type { Logger } from '@mono/message-queue'
import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'

export interface LeaseKeeperOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  logger: Logger
}

interface Lease {
  claim: Claim
  /** By this process's clock, counted from before the ledger was asked, so that it is never later than the ledger's. */
  endsAt: number
  isServed: boolean
}

/** After a renewal that failed, the next one comes so many times sooner. */
const hurry = 10

/** Renews the leases of the claims that are held every third of their time, from the first claim until `stop`. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  readonly #leases = new Map<string, Lease>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
  }

  /** Takes care of claims; `askedAt` is when the ledger was asked for them, by `performance.now()`. */
  hold(claims: readonly Claim[], askedAt: number): void {
    for (const claim of claims) {
      this.#leases.set(claim.recipient, { claim, endsAt: askedAt + this.#leaseMs, isServed: false })
    }
    if (this.#timer === undefined) this.#schedule(this.#leaseMs / 3)
  }

  /** False once the lease is lost, or could not be renewed in time: then the recipient must not be served. */
  isHeld({ recipient }: Claim): boolean {
    const lease = this.#leases.get(recipient)
    return lease !== undefined && performance.now() < lease.endsAt
  }

  /** The claim has a result. From now on only the record of the result tells whether the claim was still good. */
  markServed({ recipient }: Claim): void {
    const lease = this.#leases.get(recipient)
    if (lease) lease.isServed = true
  }

  /** Renews these no longer: their results are recorded, they are released, or their leases are left to run out. */
  drop(claims: readonly { recipient: string }[]): void {
    for (const { recipient } of claims) this.#leases.delete(recipient)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  get #leaseMs(): number {
    return this.#options.ledger.leaseMs
  }

  #schedule(ms: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#keep(), ms)
  }

  async #keep(): Promise<void> {
    try {
      await this.#renew()
      this.#schedule(this.#leaseMs / 3)
    } catch (error) {
      this.#options.logger.warn({ err: error, leases: this.#leases.size }, 'Leases could not be renewed')
      this.#schedule(this.#leaseMs / 3 / hurry)
    }
  }

  async #renew(): Promise<void> {
    const { ledger, message, logger } = this.#options
    const asked = [...this.#leases.values()]
    if (asked.length === 0) return
    const askedAt = performance.now()
    const renewed = new Set(
      await ledger.renew(
        message,
        asked.map(({ claim }) => claim),
      ),
    )
    for (const lease of asked) if (renewed.has(lease.claim.recipient)) lease.endsAt = askedAt + this.#leaseMs
    // A claim that has a result by now may have been recorded before the renewal saw it.
    const lost = asked.filter((lease) => !renewed.has(lease.claim.recipient) && !lease.isServed)
    if (lost.length === 0) return
    this.drop(lost.map(({ claim }) => claim))
    logger.warn({ lost: lost.length }, 'Leases were lost to another process while recipients were served')
  }
}
