import pg from 'pg'
import { describeError } from './describe-error.js'
import type { RuntimeLogger } from './logger.js'

export interface DatabasePoolOptions {
  databaseUrl: string
  /** Shown by PostgreSQL in `pg_stat_activity` as `application_name`. */
  name: string
  logger: RuntimeLogger
  /**
   * Connections at most. Default 10. More than the deliveries in flight is of no use, and all replicas of all workers
   * share the server's `max_connections` (100 by default).
   */
  max?: number
  /** The server cancels a statement after this time. Default 30000. */
  statementTimeoutMs?: number
}

/** How long making a connection, or waiting for a free one, may take. */
const connectionTimeoutMs = 5000

/**
 * PostgreSQL looks this often whether the client of a running statement is still there (PostgreSQL docs,
 * `client_connection_check_interval`, since 14). By default it does not: a claim that waits for a lock would be made
 * after its worker has gone, and keep the recipients from everybody else until its lease is over.
 */
const clientCheckMs = 1000

/** The server should be the one to give up; this is for a server that does not answer any more. */
const answerMarginMs = 5000

/**
 * A pool whose connections may break at any time without ending the process: the query that was running rejects, an
 * idle connection is replaced. `bigint` columns arrive as strings.
 */
export function createDatabasePool(options: DatabasePoolOptions): pg.Pool {
  const { databaseUrl, name, logger, max = 10, statementTimeoutMs = 30_000 } = options
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: connectionTimeoutMs,
    keepAlive: true,
    options: `-c client_connection_check_interval=${clientCheckMs}`,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + answerMarginMs,
  })
  pool.on('error', (error) => {
    logger.debug({ error: describeError(error) }, 'An idle database connection was lost')
  })
  // While a client is lent out, the pool does not listen to it: an error between two queries of a transaction would be
  // an uncaught exception. The next query on that client rejects.
  pool.on('connect', (client) => {
    client.on('error', () => {})
  })
  return pool
}
