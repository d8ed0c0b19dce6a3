import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { findEncodingFault } from './find-encoding-fault.js'
import type { RuntimeLogger } from './logger.js'
import { openClient } from './open-client.js'

export interface RunMigrationsOptions {
  databaseUrl: string
  /** Holds the worker's SQL files, in the order of their numeric prefixes. Files that do not end in `.sql` do not count. */
  directory: string | URL
  /** The worker's own schema; the migrations table is `<schema>.migrations`. Unqualified names in the files mean it. */
  schema: string
  logger: RuntimeLogger
}

const migrationsTable = 'migrations'

/** Other files would be loaded as code. node-pg-migrate puts this between ^ and $, so an alternation needs the group. */
const notSql = '(?:(?!.*\\.sql$).*|\\..*)'

/**
 * Brings the worker's schema up to date, all pending files in one transaction. May run in any number of replicas and
 * workers at once, and be killed at any time: the transaction holds node-pg-migrate's advisory lock. Earlier releases hold
 * that lock for their session, so they and we wait for each other. Nothing is left in a session, which a pooler would give
 * to somebody else. Logs only what it applies.
 *
 * The schema is made if it is missing; a role that may not do that works once somebody has made it.
 *
 * @throws Error if the directory holds no SQL file, the database cannot be reached or has another encoding than UTF8, the
 *   schema cannot be made, a file fails (nothing is applied then), or a new file sorts before one that was applied already.
 */
export async function runMigrations({ databaseUrl, directory, schema, logger }: RunMigrationsOptions): Promise<void> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new Error(`A schema name of lower-case letters, digits and _ was expected, but "${schema}" was found`)
  }
  const dir = directory instanceof URL ? fileURLToPath(directory) : directory
  if (!(await readdir(dir)).some((file) => file.endsWith('.sql'))) {
    throw new Error(`SQL files were expected in ${dir}, but none is there`)
  }
  // Only this needs node-pg-migrate, which brings a TypeScript loader; a worker's start should not pay for that.
  const { runner, PG_MIGRATE_LOCK_ID: lockId } = await import('node-pg-migrate')
  const client = await openClient(databaseUrl, `${schema} migrations`)
  try {
    const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding')
    const fault = findEncodingFault(rows[0]?.server_encoding ?? '')
    if (fault !== undefined) throw new Error(fault)
    const applied = await inTransaction(client, async () => {
      await lock(client, { lockId, schema, logger })
      await createSchemaIfMissing(client, schema)
      await client.query(`SET LOCAL search_path TO "${schema}"`)
      // Its BEGIN does nothing in a transaction, and its COMMIT ends ours.
      return await runner({
        dbClient: client,
        dir,
        ignorePattern: notSql,
        direction: 'up',
        migrationsSchema: schema,
        migrationsTable,
        singleTransaction: true,
        noLock: true,
        logger: toMigrateLogger(logger, schema),
      })
    })
    if (applied.length > 0) logger.info({ schema, migrations: applied.map(({ name }) => name) }, 'Migrations applied')
  } finally {
    await client.end()
  }
}

/**
 * A role may come with a time limit; waiting for the lock and building an index may take longer. Without the check, the
 * server would go on with a statement whose client has gone, and keep the lock until its end.
 */
const begin = `
  BEGIN;
  SET LOCAL statement_timeout = 0;
  SET LOCAL lock_timeout = 0;
  SET LOCAL idle_in_transaction_session_timeout = '60s';
  SET LOCAL client_connection_check_interval = '500ms'`

async function inTransaction<T>(client: pg.Client, run: () => Promise<T>): Promise<T> {
  await client.query(begin)
  try {
    const result = await run()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/**
 * Until the transaction ends. Making the schema must not race either: two `CREATE SCHEMA IF NOT EXISTS` at once can fail on
 * the catalogue's unique index.
 */
async function lock(
  client: pg.Client,
  { lockId, schema, logger }: { lockId: number; schema: string; logger: RuntimeLogger },
): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [lockId])
  if (rows[0]?.locked) return
  logger.info({ schema }, 'Waiting for other migrations of this database to end')
  await client.query('SELECT pg_advisory_xact_lock($1)', [lockId])
}

/** `CREATE SCHEMA IF NOT EXISTS` asks for the privilege even when the schema is there. So look first. */
async function createSchemaIfMissing(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query('select from pg_namespace where nspname = $1', [schema])
  if (rows.length > 0) return
  try {
    await client.query(`create schema "${schema}"`)
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== '42501') throw cause
    const advice = `have its owner run: CREATE SCHEMA ${schema} AUTHORIZATION ${client.user}`
    throw new Error(`The role ${client.user} may not create the schema ${schema} in this database; ${advice}`, {
      cause,
    })
  }
}

/** node-pg-migrate tells its progress in texts; only a failed statement and its warnings are worth a line by themselves. */
function toMigrateLogger(logger: RuntimeLogger, schema: string) {
  return {
    debug: (detail: string) => logger.debug({ schema, detail }, 'Migration'),
    info: (detail: string) => logger.debug({ schema, detail }, 'Migration'),
    warn: (detail: string) => logger.warn({ schema, detail }, 'Migration warning'),
    error: (detail: string) => logger.error({ schema, detail }, 'Migration statement failed'),
  }
}
