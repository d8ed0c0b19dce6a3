import type { Client } from 'pg'
import { endWhenTold } from './end-when-told.js'
import { createLogger, type RuntimeLogger } from './logger.js'
import { runMigrations } from './migrations.js'
import { openClient } from './open-client.js'
import { readEnvOrExplain } from './read-env-or-explain.js'
import { type ProcessHost, processHost } from './shutdown.js'
import { waitForDatabase } from './wait-for-database.js'
import type { MigrationEnv } from './worker-env.js'

export interface RunMigrationsMainOptions {
  /** The worker's name. */
  name: string
  schema: string
  directory: string | URL
  readEnv(): MigrationEnv
  /**
   * Does whatever SQL files cannot, such as a change of many rows in several transactions. Called after them at every
   * run, by any number of processes at once; may be interrupted at any point, and called again by the next run.
   */
  finish?(client: Client, logger: RuntimeLogger): Promise<void>
}

export interface RunMigrationsMainDependencies {
  /** Default: the real process. */
  host?: ProcessHost
  /** How long to wait for a database that is not there yet. Default 60000. */
  waitMs?: number
  logger?: RuntimeLogger
}

/**
 * What `apps/<worker>/src/migrate.ts` calls: environment, wait for the database, migrate. Sets the exit code 1 and says
 * why if any of it fails; never rejects. SIGTERM and SIGINT end the process at once with 1: the database undoes what it
 * is at, and gives up its locks.
 */
export async function runMigrationsMain(
  { name, schema, directory, readEnv, finish }: RunMigrationsMainOptions,
  { host = processHost, waitMs = 60_000, ...dependencies }: RunMigrationsMainDependencies = {},
): Promise<void> {
  const env = readEnvOrExplain(readEnv, host)
  if (!env) return
  const logger = dependencies.logger ?? createLogger({ name: `${name} migrate`, level: env.logLevel })
  const databaseUrl = env.databaseMigrationUrl ?? env.databaseUrl
  const variable = env.databaseMigrationUrl === undefined ? 'DATABASE_URL' : 'DATABASE_MIGRATION_URL'
  const removeListeners = endWhenTold({
    host,
    logger,
    consequence: 'nothing of the migrations that are under way is kept',
  })
  try {
    await waitForDatabase({ databaseUrl, variable, name, logger, waitMs })
    await runMigrations({ databaseUrl, directory, schema, logger })
    if (finish) {
      const client = await openClient(databaseUrl, `${schema} migrations`)
      await finish(client, logger).finally(() => client.end())
    }
    logger.info({ schema }, 'Schema is up to date')
    host.setExitCode(0)
  } catch (error) {
    logger.fatal({ err: error, schema }, 'Migrations failed')
    host.setExitCode(1)
  } finally {
    removeListeners()
  }
}
