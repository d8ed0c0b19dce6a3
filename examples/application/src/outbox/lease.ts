import type { Claim, LaneStore } from './lane-store.js'

export interface Lease {
  /** True while the lane is ours as far as we can tell. Told by this process's clock, counted from before it was given. */
  readonly isValid: boolean
  end(): void
}

/**
 * Keeps a claim for as long as it is renewed in time. A process that was frozen wakes up with a lease that has ended, and
 * sends nothing more. This spares duplicates and no more than that: order does not depend on it.
 */
export function keepLease(
  store: LaneStore,
  claim: Claim,
  { claimedAt, leaseMs }: { claimedAt: number; leaseMs: number },
): Lease {
  let validUntil = claimedAt + leaseMs
  let isRenewing = false

  async function renew(): Promise<void> {
    if (isRenewing) return
    isRenewing = true
    const askedAt = performance.now()
    try {
      validUntil = (await store.renew(claim)) ? askedAt + leaseMs : 0
    } catch {
      // The database is away: what was given counts until its end.
    } finally {
      isRenewing = false
    }
  }

  const timer = setInterval(() => void renew(), leaseMs / 3)
  return {
    get isValid() {
      return performance.now() < validUntil
    },
    end: () => clearInterval(timer),
  }
}
