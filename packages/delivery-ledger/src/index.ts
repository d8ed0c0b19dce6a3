export type { ServeSummary } from './conclude-message.js'
export { createDeliveryLedger, type DeliveryLedgerOptions } from './create-delivery-ledger.js'
export type {
  Claim,
  DeliveryLedger,
  LedgerMessage,
  RecipientRecord,
  RecipientResult,
  RecipientState,
  UnsentClaim,
} from './delivery-ledger.js'
export { serveRecipients } from './serve-recipients.js'
export type { ServeRecipientsOptions } from './serve-recipients-options.js'
export type { ServeResult } from './serve-result.js'
