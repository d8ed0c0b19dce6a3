import type { WorkQueueName } from '@mono/rascal-config'
import type { DeadLetter } from './dead-letter.js'

/** The queues whose workers keep a ledger of whom they have served. */
const withLedger: ReadonlySet<WorkQueueName> = new Set(['push.notifications', 'email.notifications'])

const dayMs = 24 * 3_600_000

/**
 * The workers do again whatever their ledger has forgotten: a replay would reach those who were served long ago.
 *
 * @throws Error if the message was given up longer ago than the ledger reaches back
 */
export function assertLedgerRemembers(
  { queue, diedAt }: Pick<DeadLetter, 'queue' | 'diedAt'>,
  { ledgerRetentionDays, now }: { ledgerRetentionDays: number; now: Date },
): void {
  if (!withLedger.has(queue) || diedAt === undefined) return
  if (now.getTime() - diedAt.getTime() <= ledgerRetentionDays * dayMs) return
  throw new Error(
    `Expected a dead letter of the last ${ledgerRetentionDays} days, which the ledger keeps, found one of ` +
      `${diedAt.toISOString()}. Whom it has reached may be forgotten, and they would get it again: replay it with force.`,
  )
}
