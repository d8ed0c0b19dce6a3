export type { ServeSummary } from './conclude-delivery.js'
export {
  type Claim,
  createDeliveryLedger,
  type Delivery,
  type DeliveryLedger,
  type DeliveryLedgerOptions,
  type DeliveryResult,
  type DeliveryState,
  type LedgerMessage,
  type UnsentClaim,
} from './delivery-ledger.js'
export { type ServeRecipientsOptions, serveRecipients } from './serve-recipients.js'
export type { ServeResult } from './serve-result.js'
