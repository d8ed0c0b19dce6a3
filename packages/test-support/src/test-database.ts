import { randomBytes } from 'node:crypto'
import { settleWithin } from '@mono/waiting'
import pg from 'pg'
import { databaseServerUrl } from './service-urls.js'
import { waitFor } from './wait-for.js'

export interface TestDatabase {
  name: string
  /** DATABASE_URL with this database in place of its own. */
  url: string
  /** Runs one statement on a connection of the fixture's own and resolves with its rows. */
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>
  /** A pool on this database, for what the test examines. Default: up to 10 connections. The fixture ends it. */
  createPool(options?: Omit<pg.PoolConfig, 'connectionString'>): pg.Pool
}

export interface OwnedTestDatabase extends TestDatabase {
  /**
   * Drops the database.
   * @throws Error if a connection to it is still open after `graceMs`; the database is dropped nevertheless
   */
  drop(options?: { graceMs?: number }): Promise<void>
}

/** @throws Error if DATABASE_URL is not set, or its role may not create databases */
export async function createTestDatabase(): Promise<OwnedTestDatabase> {
  const serverUrl = databaseServerUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  // template0, because nobody can be connected to it: CREATE DATABASE fails while its template is in use.
  await queryOnce(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`

  const pools: pg.Pool[] = []
  const createPool = (options: Omit<pg.PoolConfig, 'connectionString'> = {}) => {
    const pool = new pg.Pool({ ...options, connectionString: url.href })
    // Told of a connection that is lost while idle, and while lent out; without a listener it would end the process.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => client.on('error', () => undefined))
    pools.push(pool)
    return pool
  }
  let ownPool: pg.Pool | undefined

  return {
    name,
    url: url.href,
    createPool,
    async query<Row extends pg.QueryResultRow>(sql: string, parameters?: unknown[]) {
      ownPool ??= createPool({ max: 2 })
      return (await ownPool.query<Row>(sql, parameters)).rows
    },
    async drop({ graceMs = 5_000 } = {}) {
      try {
        await endPools(pools)
        await assertNoConnections(serverUrl, name, graceMs)
      } finally {
        await queryOnce(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
      }
    },
  }
}

/** `end` waits for connections that are lent out: for ever, if the test did not give one back. */
async function endPools(pools: pg.Pool[]): Promise<void> {
  const ending = pools.filter((pool) => !pool.ended && !pool.ending).map((pool) => pool.end())
  const what = 'the pools of the test to end: was a client not released?'
  await settleWithin(Promise.all(ending), {
    ms: 5_000,
    createError: () => new Error(`Timed out after 5000 ms waiting for ${what}`),
  })
}

async function assertNoConnections(serverUrl: string, name: string, graceMs: number): Promise<void> {
  let open: { application_name: string; state: string; query: string }[] = []
  await waitFor(
    async () => {
      open = await queryOnce(
        serverUrl,
        "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
        [name],
      )
      return open.length === 0
    },
    { what: `the connections to database ${name} to be closed`, timeoutMs: graceMs, intervalMs: 100 },
  ).catch((error: unknown) => {
    const found = open.map(
      ({ application_name, state, query }) => `${application_name || 'unnamed'} (${state}: ${query})`,
    )
    throw new Error(
      `${open.length} database connection(s) still open after the test: ${found.join(', ')}. ` +
        'Close what the test opened, or hand it to the `cleanUp` fixture.',
      { cause: error },
    )
  })
}

/** Runs one statement on a connection that is made for it. */
export async function queryOnce<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  parameters?: unknown[],
): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'test-support',
  })
  await client.connect()
  try {
    return (await client.query<Row>(sql, parameters)).rows
  } finally {
    await client.end()
  }
}
