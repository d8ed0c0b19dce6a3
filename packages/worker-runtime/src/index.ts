export { createCoalescer } from './coalescer.js'
export type { EnvFault } from './env-error.js'
/** @public No worker names it, but the compiler does, in the type of a worker's shape. */
export type { EnvVariable } from './env-variable.js'
export { type EnvOf, integer, oneOf, secret, url, variable } from './env-variable.js'
export type { ServeSummary } from './ledger/conclude-delivery.js'
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
} from './ledger/delivery-ledger.js'
export { type ServeRecipientsOptions, serveRecipients } from './ledger/serve-recipients.js'
export type { ServeResult } from './ledger/serve-result.js'
export { type EnvSource, readEnv } from './read-env.js'
export { runMigrationsMain } from './run-migrations-main.js'
export { runWorker } from './run-worker.js'
export { isDataFault, toDatabaseError } from './to-database-error.js'
export { type MigrationEnv, migrationEnv, type WorkerEnv, workerEnv } from './worker-env.js'
