export type { ServeSummary } from './conclude-message.js'
export {
  type Claim,
  createDeliveryLedger,
  type DeliveryLedger,
  type DeliveryLedgerOptions,
  type LedgerMessage,
  type RecipientRecord,
  type RecipientResult,
  type RecipientState,
  type UnsentClaim,
} from './delivery-ledger.js'
export { serveRecipients } from './serve-recipients.js'
export type { ServeRecipientsOptions } from './serve-recipients-options.js'
export type { ServeResult } from './serve-result.js'
