import { createMessageQueue, type MessageQueue } from '@mono/message-queue'
import { createDatabasePool, type DatabasePool } from './database-pool.js'
import { endWhenTold } from './end-when-told.js'
import { createLogger, type RuntimeLogger } from './logger.js'
import { readEnvOrExplain } from './read-env-or-explain.js'
import { createResources } from './resources.js'
import { type ProcessHost, processHost } from './shutdown.js'
import { waitForDatabase } from './wait-for-database.js'
import type { WorkerEnv } from './worker-env.js'

export interface CommandContext<E extends WorkerEnv> {
  env: E
  logger: RuntimeLogger
  /** The worker's database, which is up. Ended by the runtime. */
  pool: DatabasePool
  /** Closed by the runtime. */
  messageQueue: MessageQueue
}

export interface RunCommandOptions<E extends WorkerEnv> {
  /** The worker's name. */
  name: string
  /** `migrate-queue`: in logs and connection names, after the worker's. */
  command: string
  /** The worker's own environment. */
  readEnv(): E
  /** A table that the worker's last migration needs: `audit.events`. */
  probeTable: string
  /** Does the work, once. It may be interrupted at any point, and begun again by another call. */
  run(context: CommandContext<E>): Promise<void>
}

export interface RunCommandDependencies {
  /** Default: the real process. */
  host?: ProcessHost
  /** How long to wait for a database that is not there yet. Default 60000. */
  waitMs?: number
  logger?: RuntimeLogger
}

/**
 * Runs one piece of a worker's work and ends: environment, wait for the database, the work. Sets the exit code 1 and says
 * why if any of it fails; never rejects. SIGTERM and SIGINT end the process at once with 1.
 */
export async function runCommand<E extends WorkerEnv>(
  { name, command, readEnv, probeTable, run }: RunCommandOptions<E>,
  { host = processHost, waitMs = 60_000, ...dependencies }: RunCommandDependencies = {},
): Promise<void> {
  const env = readEnvOrExplain(readEnv, host)
  if (!env) return
  const fullName = `${name} ${command}`
  const logger = dependencies.logger ?? createLogger({ name: fullName, level: env.logLevel })
  const { databaseUrl, rabbitmqUrls: url, topology } = env
  const removeListeners = endWhenTold({ host, logger, consequence: 'to finish the work, run this again' })
  const resources = createResources()
  try {
    await waitForDatabase({ databaseUrl, name, probeTable, logger, waitMs })
    const pool = createDatabasePool({ databaseUrl, name: fullName, logger })
    resources.add('the database pool', () => pool.end())
    const messageQueue = createMessageQueue({ url, connectionName: fullName, logger, topology })
    resources.add('the broker connections', () => messageQueue.close())
    await run({ env, logger, pool, messageQueue })
    host.setExitCode(0)
  } catch (error) {
    logger.fatal({ err: error }, 'The command has failed')
    host.setExitCode(1)
  } finally {
    await resources.releaseAll().catch((error: unknown) => logger.warn({ err: error }, 'Not all could be released'))
    removeListeners()
  }
}
