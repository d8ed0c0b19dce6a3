import type { LedgerMessage, RecipientRecord } from './delivery-ledger.js'
import type { ServeResult } from './serve-result.js'

export interface MergeableMessage {
  message: LedgerMessage
  records: ReadonlyMap<string, RecipientRecord>
  /** The results of those who were served during this delivery of the message. */
  results: ReadonlyMap<string, ServeResult>
}

/**
 * How many recipients a message without an id leaves to an equal one. Only a message that cannot have been delivered
 * before is told from its own earlier delivery; and a replay, if it serves nobody at all.
 */
export function countMerged({ message, records, results }: MergeableMessage): number {
  const isReplayInVain = message.replayedAt !== undefined && message.derivedId !== undefined && results.size === 0
  if (message.derivedId !== 'first' && !isReplayInVain) return 0
  const others = [...records].filter(([recipient]) => !results.has(recipient))
  return others.filter(([, { state, leasedByOther }]) => leasedByOther || state === 'sent' || state === 'unknown')
    .length
}
