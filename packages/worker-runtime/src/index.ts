export type { Dependency } from './breaker.js'
export { type CoalescerOptions, createCoalescer } from './coalescer.js'
export type { DatabaseStatus } from './database-status.js'
export { EnvError, type EnvFault } from './env-error.js'
export {
  type EnvOf,
  type EnvShape,
  type EnvVariable,
  integer,
  oneOf,
  secret,
  url,
  variable,
} from './env-variable.js'
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
export { createLogger, type LoggerOptions, type RuntimeLogger } from './logger.js'
export { maskSecrets } from './mask-secrets.js'
export { type RunMigrationsOptions, runMigrations } from './migrations.js'
export { type EnvSource, readEnv } from './read-env.js'
export type { ReadinessReport } from './readiness.js'
export { type RunMigrationsMainOptions, runMigrationsMain } from './run-migrations-main.js'
export { type RunWorkerOptions, runWorker, type WorkerContext } from './run-worker.js'
export { isDataFault, toDatabaseError } from './to-database-error.js'
export type { RunningWorker } from './worker.js'
export { type LogLevel, type MigrationEnv, migrationEnv, type WorkerEnv, workerEnv } from './worker-env.js'
