import { DeferError } from '@mono/message-queue'
import pg from 'pg'
import type { DatabasePool } from './database-pool.js'
import type { DatabaseStatus } from './database-status.js'
import { describeError } from './describe-error.js'
import { findClockFault } from './find-clock-fault.js'
import { findEncodingFault } from './find-encoding-fault.js'
import { isConnectionRefusal } from './is-connection-refusal.js'
import { within } from './within.js'

export interface DatabaseProbeOptions {
  databaseUrl: string
  /** The worker's name. */
  name: string
  /** A table that the last migration needs, with its schema: `audit.events`. Absent: being reached is enough. */
  probeTable?: string | undefined
  /**
   * Statements that need what the work needs, and are rolled back. Default: an insert of no rows into the table, which
   * shows less: no trigger, no index and no page of it is touched.
   */
  probeStatements?: readonly string[] | undefined
  /** The worker's. Absent: every check makes a connection. */
  pool?: Pick<DatabasePool, 'connectNow' | 'totalCount'>
  /** Default: the system's clock. */
  now?: () => number
}

export interface DatabaseProbe {
  /** Never rejects; takes a few seconds at most. */
  check(): Promise<DatabaseStatus>
  close(): Promise<void>
}

/** For connecting, and for each answer. Work goes on when the database is back and one check has passed. */
const timeoutMs = 3000
const closeLimitMs = 1000

/** A connection that was made long ago knows neither of another password nor of another certificate. */
const freshEvery = 6

/** Limits the probe's transaction, so that it is in nobody's way: somebody else's lock is not the database's fault. */
const begin = `
  BEGIN;
  SET LOCAL statement_timeout = '2s';
  SET LOCAL lock_timeout = '100ms';
  SET LOCAL idle_in_transaction_session_timeout = '5s'`

/** A rolled back insert may find room on a full disk; a temporary file, gone at once, needs some. */
const writeToDisk = "SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 20000)"

interface Facts {
  encoding: string
  migrated: boolean
  now: string
}

/**
 * Checks the database by what the work needs: the rights, the tables, a transaction that may write, the encoding, the
 * time. Mostly it takes a connection of the worker's pool that is free; now and then, when none is, and while anything is
 * wrong, it makes one as the pool would.
 */
export function createDatabaseProbe(options: DatabaseProbeOptions): DatabaseProbe {
  const { databaseUrl, name, probeTable, pool, now = Date.now } = options
  const statements = options.probeStatements ?? toDefaultStatements(probeTable)
  let last: DatabaseStatus = { state: 'unknown' }
  let checks = 0
  let fresh: pg.Client | undefined
  let isClosed = false

  async function examine(client: pg.ClientBase, { isFresh }: { isFresh: boolean }): Promise<DatabaseStatus> {
    const askedAt = now()
    const facts = await readFacts(client, probeTable)
    if (probeTable === undefined) return { state: 'up' }
    const databaseTime = Number(facts.now)
    const encodingFault = findEncodingFault(facts.encoding)
    const clockFault = findClockFault({ askedAt, answeredAt: now(), databaseTime })
    if (encodingFault !== undefined) return { state: 'unusable', code: 'ENCODING', error: encodingFault }
    if (!facts.migrated) return toNotMigrated(name, `There is no table ${probeTable}`)
    if (clockFault !== undefined) return { state: 'unusable', code: 'CLOCK', error: clockFault }
    const writes = [...statements, 'SELECT pg_current_xact_id()', ...(isFresh ? [writeToDisk] : [])]
    await ask(client, writes.join(';\n'))
    return { state: 'up' }
  }

  /** @returns undefined if none is free */
  async function checkPooled(): Promise<DatabaseStatus | undefined> {
    const client = await pool?.connectNow()
    if (client === undefined) return undefined
    try {
      const status = await examine(client, { isFresh: false })
      await ask(client, 'ROLLBACK')
      client.release()
      return status
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  async function checkFresh(): Promise<DatabaseStatus> {
    if (isClosed) return last
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: `${name} probe`,
      connectionTimeoutMillis: timeoutMs,
      keepAlive: true,
    })
    // A lost connection rejects the running query as well; without a listener it would end the process first.
    client.on('error', () => {})
    fresh = client
    try {
      await client.connect()
      return await examine(client, { isFresh: true })
    } catch (error) {
      // All that the server has left may be the pool's.
      if (!isConnectionRefusal(error) || pool === undefined || pool.totalCount === 0) throw error
      return (await checkPooled()) ?? { state: 'up' }
    } finally {
      void client.end().catch(() => {})
    }
  }

  return {
    async check() {
      if (isClosed) return last
      checks += 1
      const isFresh = pool === undefined || last.state !== 'up' || checks % freshEvery === 0
      try {
        last = (isFresh ? undefined : await checkPooled()) ?? (await checkFresh())
      } catch (error) {
        last = toFault(name, error instanceof DeferError ? error.cause : error)
      }
      return last
    },
    async close() {
      isClosed = true
      // A server that does not answer holds up a check for a while; nobody needs its result any more.
      await within(fresh?.end() ?? Promise.resolve(), closeLimitMs)
    },
  }
}

function toDefaultStatements(table: string | undefined): string[] {
  return table === undefined ? [] : [`INSERT INTO ${table} SELECT (NULL::${table}).* WHERE false`]
}

async function readFacts(client: pg.ClientBase, table: string | undefined): Promise<Facts> {
  const select = `
    SELECT current_setting('server_encoding') AS encoding, extract(epoch FROM clock_timestamp()) * 1000 AS now,
      ${table === undefined ? 'true' : `to_regclass('${table}') IS NOT NULL`} AS migrated`
  // Several statements have several results, which the types of pg do not know.
  const results = (await ask(client, `${begin}; ${select}`)) as unknown as pg.QueryResult<Facts>[]
  const facts = results.at(-1)?.rows[0]
  if (facts === undefined) throw new Error('The database has not answered what it was asked')
  return facts
}

async function ask(client: pg.ClientBase, text: string): Promise<pg.QueryResult> {
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: timeoutMs }
  return await client.query(query)
}

/** No such schema, table or column. */
const missing = /^3F000$|^42P01$|^42703$/
/** Connection exceptions; shut down, crashed, starting up. */
const away = /^08|^57P0/
const lockNotAvailable = '55P03'

function toFault(name: string, error: unknown): DatabaseStatus {
  const { code } = error as { code?: unknown }
  const words = describeError(error)
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || away.test(code)) return { state: 'down', error: words }
  if (code === lockNotAvailable) return { state: 'up' }
  return missing.test(code) ? toNotMigrated(name, words) : { state: 'unusable', code, error: words }
}

function toNotMigrated(name: string, reason: string): DatabaseStatus {
  return { state: 'not migrated', error: `${reason}; run: node apps/${name}/dist/migrate.js` }
}
