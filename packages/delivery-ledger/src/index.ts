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
export { type ServeRecipientsOptions, serveRecipients } from './serve-recipients.js'
export type { ServeResult } from './serve-result.js'
