import type { RecipientState } from './delivery-ledger.js'
import type { ServeResult } from './serve-result.js'

/** Whether nothing more is done for a recipient with this state, or this result. */
export function isFinal(outcome: RecipientState | ServeResult['kind']): outcome is 'sent' | 'failed' | 'unknown' {
  return outcome === 'sent' || outcome === 'failed' || outcome === 'unknown'
}
