export { createDeliveryLedger } from './create-delivery-ledger.js'
export type { Claim, DeliveryLedger, LedgerMessage, RecipientResult } from './delivery-ledger.js'
export { serveRecipients } from './serve-recipients.js'
export type { ServeResult } from './serve-result.js'
