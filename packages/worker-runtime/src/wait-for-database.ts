import { DatabaseDependency } from './database-dependency.js'
import { createDatabaseProbe, type DatabaseProbeOptions } from './database-probe.js'
import type { RuntimeLogger } from './logger.js'

export interface WaitForDatabaseOptions extends DatabaseProbeOptions {
  logger: RuntimeLogger
  waitMs: number
}

/** @throws Error if the database is not reached in time, or has not got the table that is to be there */
export async function waitForDatabase({ logger, waitMs, ...options }: WaitForDatabaseOptions): Promise<void> {
  const { check, close } = createDatabaseProbe(options)
  const database = new DatabaseDependency({ check, logger })
  try {
    await database.untilUp(AbortSignal.timeout(waitMs))
  } catch (cause) {
    const { status } = database
    const reason = 'error' in status ? status.error : 'no answer'
    throw new Error(`The database of DATABASE_URL was not reached within ${waitMs} ms: ${reason}`, { cause })
  } finally {
    await close()
  }
}
