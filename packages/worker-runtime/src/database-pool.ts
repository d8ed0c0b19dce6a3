import type { Socket } from 'node:net'
import { DeferError } from '@mono/message-queue'
import pg from 'pg'
import { ConnectionSlots } from './connection-slots.js'
import { describeError } from './describe-error.js'
import { isConnectionRefusal } from './is-connection-refusal.js'
import type { RuntimeLogger } from './logger.js'
import { openClient } from './open-client.js'
import { toUnavailableError } from './to-database-error.js'
import { within } from './within.js'

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

export interface DatabasePool {
  /** Runs one statement in a transaction of its own, within the time limit. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>
  /**
   * Lends out a connection for a transaction of the caller's, who sets its limits by `SET LOCAL`. Waits for one as long as
   * it takes.
   * @throws DeferError DATABASE_UNAVAILABLE if none can be made, whatever the reason
   */
  connect(): Promise<pg.PoolClient>
  /** A connection beside those of the pool, for one statement that takes long. Whoever asks for it ends it. */
  connectAlone(): Promise<pg.Client>
  /** As `connect`, if one is to be had without waiting for our own. */
  connectNow(): Promise<pg.PoolClient | undefined>
  /** Connections, lent out or idle. */
  readonly totalCount: number
  /** The database cannot be used: who waits for a connection, or would have to, is told so until `goOn`. */
  holdOff(reason: string): void
  goOn(): void
  /** Closes what is still lent out after `limitMs` (default 500), with whatever runs on it. */
  end(options?: { limitMs?: number }): Promise<void>
}

/** How long the server may take to make a connection. */
const connectionTimeoutMs = 5000

/** The server should be the one to give up; this is for a server that does not answer any more. */
const answerMarginMs = 5000

/**
 * A pool whose connections may break at any time without ending the process: the query that was running rejects, an
 * idle connection is replaced. `bigint` columns arrive as strings.
 *
 * It keeps no state in a session: a pooler between us and the server, such as PgBouncer in transaction mode, gives the next
 * transaction another session, and refuses limits as startup parameters. So each statement has a transaction that sets
 * them; the three parts are sent together, in one round trip.
 */
export function createDatabasePool(options: DatabasePoolOptions): DatabasePool {
  const { databaseUrl, name, logger, max = 10, statementTimeoutMs = 30_000 } = options
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: connectionTimeoutMs,
    keepAlive: true,
    pipeline: true,
    query_timeout: statementTimeoutMs + answerMarginMs,
  })
  const slots = new ConnectionSlots(max)
  const lent = new Set<pg.PoolClient>()
  pool.on('error', (error) => {
    logger.debug({ error: describeError(error) }, 'An idle database connection was lost')
  })
  // While a client is lent out, the pool does not listen to it: an error between two queries of a transaction would be
  // an uncaught exception. The next query on that client rejects.
  pool.on('connect', (client) => {
    client.on('error', () => {})
  })
  pool.on('release', (_error, client) => {
    // One that came too late for whoever had asked for it is released by the pool itself, and has no slot.
    if (!lent.delete(client)) return
    // The pool tells of it before it has taken it back.
    queueMicrotask(() => slots.giveBack())
  })

  /** For a slot that is taken. @returns undefined if the server has none for it now, but may have */
  async function connectTaken(): Promise<pg.PoolClient | undefined> {
    const wasAlone = slots.isAlone
    try {
      const client = await pool.connect()
      lent.add(client)
      return client
    } catch (error) {
      if (!isConnectionRefusal(error)) slots.giveBack()
      else if (slots.giveBackRefused({ wasAlone })) return undefined
      throw toUnavailableError(error as Error)
    }
  }

  async function connect(): Promise<pg.PoolClient> {
    for (let isRefused = false; ; isRefused = true) {
      // At once if one is free: what was asked for before the end of the pool still has its connection.
      if (isRefused || !slots.takeFree()) await slots.take({ isFirst: isRefused })
      const client = await connectTaken()
      if (client !== undefined) return client
    }
  }

  const begin = beginLimited(statementTimeoutMs)

  return {
    connect,
    connectAlone: () => openClient(databaseUrl, name),
    connectNow: async () => (slots.takeFree() ? await connectTaken() : undefined),
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      const client = await connect()
      const { stream } = connectionOf(client)
      // In one write: with three the server is woken up three times, and writing them costs more than all the rest.
      stream.cork()
      const parts = [client.query(begin), client.query<Row>(sql, values), client.query('COMMIT')] as const
      stream.uncork()
      const results = await Promise.allSettled(parts)
      const failed = results.find((result) => result.status === 'rejected')
      // After a COMMIT that was answered no transaction is open, whatever came before it.
      client.release(results[2].status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return await parts[1]
    },
    get totalCount() {
      return lent.size + pool.idleCount
    },
    holdOff(reason) {
      slots.holdOff(new DeferError(`The database is not available (${reason})`, { code: 'DATABASE_UNAVAILABLE' }))
    },
    goOn: () => slots.goOn(),
    async end({ limitMs = 500 } = {}) {
      slots.holdOff(new Error('Cannot use a pool after calling end on the pool'))
      const ended = pool.end()
      if (await within(ended, limitMs)) return
      // The pool would wait for what is lent out, and its sockets would keep the process alive.
      // pg itself ends a connection only when the queries that were sent on it are answered.
      for (const client of lent) connectionOf(client).stream.destroy()
    },
  }
}

/**
 * PostgreSQL looks once a second whether the client of a running statement is still there (PostgreSQL docs,
 * `client_connection_check_interval`, since 14). By default it does not: a claim that waits for a lock would be made
 * after its worker has gone, and keep the recipients from everybody else until its lease is over.
 */
function beginLimited(statementTimeoutMs: number): string {
  return `
    BEGIN;
    SET LOCAL statement_timeout = ${statementTimeoutMs};
    SET LOCAL idle_in_transaction_session_timeout = '10s';
    SET LOCAL client_connection_check_interval = '1s'`
}

function connectionOf(client: pg.PoolClient): { stream: Socket } {
  return (client as unknown as { connection: { stream: Socket } }).connection
}
