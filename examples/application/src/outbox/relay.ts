import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { type Claim, createLaneStore } from './lane-store.js'
import { keepLease } from './lease.js'
import { listen } from './listen.js'
import type { Failure } from './message-store.js'
import type { OutboxMessage } from './outbox-message.js'
import { type PassOutcome, runPass, type Sender } from './run-pass.js'
import { createWakeUp } from './wake-up.js'

export interface OutboxRelayOptions extends Sender {
  pool: Pool
  /** For the connection that listens; past a pooler, if there is one. */
  databaseUrl: string
  /** A relay that is gone keeps its lanes for so long, in milliseconds. Default 10,000. */
  leaseMs?: number
  /** How often the relay looks without being told, in milliseconds. Default 1,000. */
  pollMs?: number
  onSent?(message: OutboxMessage): void
  onFailed?(message: OutboxMessage, failure: Failure): void
  /** A lane, or the whole relay, is left alone for `pollMs`, because of this. */
  onHeld?(error: unknown, lane?: string): void
}

export interface OutboxRelay {
  /** Sends no more, waits for what is on its way, gives its lanes to others. */
  stop(): Promise<void>
}

/**
 * Sends what is in the outbox, in the order of commits of each key. Any number of relays may run: each takes the lanes
 * that have something waiting and are nobody's. While the broker is away, or its queue full, nothing is marked and the
 * lane waits.
 */
export function startOutboxRelay({ leaseMs = 10_000, pollMs = 1_000, ...options }: OutboxRelayOptions): OutboxRelay {
  const { pool, databaseUrl, onHeld } = options
  const lanes = createLaneStore(pool, { holder: randomUUID(), leaseMs })
  const wakeUp = createWakeUp()
  const listening = listen(databaseUrl, wakeUp.ring)
  const working = new Set<Promise<void>>()
  let isStopping = false

  async function work(claim: Claim, claimedAt: number): Promise<void> {
    const lease = keepLease(lanes, claim, { claimedAt, leaseMs })
    let outcome: PassOutcome
    try {
      outcome = await runPass({
        onSent: () => undefined,
        onFailed: () => undefined,
        ...options,
        lane: claim.lane,
        mayGoOn: () => !isStopping && lease.isValid,
      })
    } catch (error) {
      outcome = { heldBy: error }
    } finally {
      lease.end()
    }
    let holdMs = 0
    if (typeof outcome === 'object') {
      holdMs = pollMs
      onHeld?.(outcome.heldBy, claim.lane)
    }
    // If the database is away, the lease ends by itself.
    await lanes.release(claim, holdMs).catch(() => undefined)
    // There may be more since the pass began.
    if (holdMs === 0) wakeUp.ring()
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      const claimedAt = performance.now()
      try {
        for (const claim of await lanes.claim()) {
          const lane = work(claim, claimedAt).finally(() => working.delete(lane))
          working.add(lane)
        }
      } catch (error) {
        onHeld?.(error)
      }
      await wakeUp.wait(pollMs)
    }
  }

  const running = run()
  return {
    async stop() {
      isStopping = true
      wakeUp.ring()
      await running
      await Promise.all(working)
      await listening.end()
    },
  }
}
