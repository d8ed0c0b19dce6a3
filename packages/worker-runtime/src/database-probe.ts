import pg from 'pg'
import type { DatabaseStatus } from './database-status.js'
import { describeError } from './describe-error.js'
import { within } from './within.js'

export interface DatabaseProbeOptions {
  databaseUrl: string
  /** The worker's name. */
  name: string
  /** A table that the last migration needs, with its schema: `audit.events`. Absent: being reached is enough. */
  probeTable?: string
}

export interface DatabaseProbe {
  /** Never rejects; takes at most six seconds. */
  check(): Promise<DatabaseStatus>
  close(): Promise<void>
}

/** For connecting, and for the answer. Work goes on when the database is back and one check has passed. */
const timeoutMs = 3000
const closeLimitMs = 1000

/**
 * Checks the database over a connection of its own, because waiting for a free one of a busy pool would look like an
 * outage.
 */
export function createDatabaseProbe({ databaseUrl, name, probeTable }: DatabaseProbeOptions): DatabaseProbe {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: `${name} probe`,
    max: 1,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
    // Longer than the time between two checks.
    idleTimeoutMillis: 30_000,
  })
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', () => {})
  })

  return {
    async check() {
      try {
        if (probeTable === undefined) {
          await pool.query('select 1')
          return { state: 'up' }
        }
        const { rows } = await pool.query<{ migrated: boolean }>('select to_regclass($1) is not null as migrated', [
          probeTable,
        ])
        if (rows[0]?.migrated) return { state: 'up' }
        return {
          state: 'not migrated',
          error: `There is no table ${probeTable}; run: node apps/${name}/dist/migrate.js`,
        }
      } catch (error) {
        return { state: 'down', error: describeError(error) }
      }
    },
    async close() {
      // A server that does not answer holds up a check for a while; nobody needs its result any more.
      await within(pool.end(), closeLimitMs)
    },
  }
}
