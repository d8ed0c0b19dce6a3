import type { Logger } from '@mono/message-queue'
import type { Claim, DeliveryLedger, LedgerMessage } from './delivery-ledger.js'

export interface LeaseKeeper {
  /** Takes care of claims that were asked for at that time of `performance.now()`. */
  hold(claims: readonly Claim[], askedAt: number): void
  /** False once the lease is lost or, for want of a database, could not be renewed in time: then it is not to be served. */
  isHeld(claim: Claim): boolean
  /** Its result is there: from now on it is the record that tells whether the claim is still good. */
  served(claim: Claim): void
  /** Lets go of claims: what becomes of them is recorded, or is left to the end of the lease. */
  drop(claims: readonly { recipient: string }[]): void
  stop(): void
}

export interface LeaseKeeperOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  logger: Logger
}

interface Lease {
  claim: Claim
  /** By this process's clock, counted from before the question: never later than the ledger's. */
  endsAt: number
  isServed: boolean
}

/** After a renewal that failed, the next comes sooner. */
const hurry = 10

/** Renews the leases of what is in hand every third of their time. */
export function createLeaseKeeper({ ledger, message, logger }: LeaseKeeperOptions): LeaseKeeper {
  const { leaseMs } = ledger
  const leases = new Map<string, Lease>()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  function schedule(ms: number): void {
    if (!stopped) timer = setTimeout(() => void keep(), ms)
  }

  async function keep(): Promise<void> {
    try {
      await renew()
      schedule(leaseMs / 3)
    } catch (error) {
      logger.warn({ err: error, leases: leases.size }, 'Leases could not be renewed')
      schedule(leaseMs / 3 / hurry)
    }
  }

  async function renew(): Promise<void> {
    const asked = [...leases.values()]
    if (asked.length === 0) return
    const askedAt = performance.now()
    const renewed = new Set(await ledger.renew(message, toClaims(asked)))
    for (const lease of asked) if (renewed.has(lease.claim.recipient)) lease.endsAt = askedAt + leaseMs
    // What has a result by now may have been recorded before the renewal saw it.
    const lost = asked.filter((lease) => !renewed.has(lease.claim.recipient) && !lease.isServed)
    if (lost.length === 0) return
    for (const { claim } of lost) leases.delete(claim.recipient)
    logger.warn({ lost: lost.length }, 'Leases were lost to another process while recipients were served')
  }

  return {
    hold(claims, askedAt) {
      for (const claim of claims) {
        leases.set(claim.recipient, { claim, endsAt: askedAt + leaseMs, isServed: false })
      }
      if (timer === undefined) schedule(leaseMs / 3)
    },
    isHeld({ recipient }) {
      const lease = leases.get(recipient)
      return lease !== undefined && performance.now() < lease.endsAt
    },
    served({ recipient }) {
      const lease = leases.get(recipient)
      if (lease) lease.isServed = true
    },
    drop(claims) {
      for (const { recipient } of claims) leases.delete(recipient)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function toClaims(leases: readonly Lease[]): Claim[] {
  return leases.map(({ claim }) => claim)
}
