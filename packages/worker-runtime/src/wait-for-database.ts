import { DatabaseDependency } from './database-dependency.js'
import { createDatabaseProbe, type DatabaseProbeOptions } from './database-probe.js'
import type { RuntimeLogger } from './logger.js'

export interface WaitForDatabaseOptions extends DatabaseProbeOptions {
  logger: RuntimeLogger
  waitMs: number
  /** That has the URL. Default `DATABASE_URL`. */
  variable?: string
}

/** @throws Error if the database is not reached in time, or has not got the table that is to be there */
export async function waitForDatabase({
  logger,
  waitMs,
  variable = 'DATABASE_URL',
  ...options
}: WaitForDatabaseOptions): Promise<void> {
  const { check, close } = createDatabaseProbe(options)
  const database = new DatabaseDependency({ check, logger })
  try {
    await database.untilUp(AbortSignal.timeout(waitMs))
  } catch (cause) {
    const { status } = database
    const reason = 'error' in status ? status.error : 'no answer'
    throw new Error(`The database of ${variable} was not reached within ${waitMs} ms: ${reason}`, { cause })
  } finally {
    await close()
  }
}
