import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'
import type { LeaseKeeper } from './lease-keeper.js'

export interface ClaimSource {
  /**
   * The next recipient to be served; undefined when there is none any more.
   * @throws what the ledger throws
   */
  next(): Promise<Claim | undefined>
  /** Claims no more, and gives back what has been claimed and not been taken by `next`. */
  stop(): void
}

export interface ClaimSourceOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  recipients: readonly string[]
  leases: LeaseKeeper
  /** Told of claims that are not going to be served. */
  giveBack(claims: readonly Claim[]): void
}

/** Recipients claimed at a time: what waits in hand, and what a process that dies leaves leased. */
const chunkSize = 200

/**
 * Claims the recipients chunk by chunk, the next one when somebody is free and nothing waits, so that one slow
 * recipient holds up nobody else.
 */
export function createClaimSource({ ledger, message, recipients, leases, giveBack }: ClaimSourceOptions): ClaimSource {
  let waiting: Claim[] = []
  let position = 0
  let stopped = false
  let claiming: Promise<void> | undefined

  async function claimChunk(): Promise<void> {
    const chunk = recipients.slice(position, position + chunkSize)
    position += chunk.length
    const askedAt = performance.now()
    const claims = await ledger.claim(message, chunk)
    if (stopped) return giveBack(claims)
    leases.hold(claims, askedAt)
    waiting = [...claims]
  }

  function takeWaiting(): Claim | undefined {
    for (let claim = waiting.shift(); claim; claim = waiting.shift()) {
      if (leases.isHeld(claim)) return claim
      giveBack([claim])
    }
    return undefined
  }

  return {
    async next() {
      while (!stopped) {
        const claim = takeWaiting()
        if (claim) return claim
        if (!claiming && position >= recipients.length) return undefined
        claiming ??= claimChunk().finally(() => {
          claiming = undefined
        })
        await claiming
      }
      return undefined
    },
    stop() {
      stopped = true
      giveBack(waiting)
      waiting = []
    },
  }
}
