import { fileURLToPath } from 'node:url'
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate'
import pg from 'pg'

/**
 * Brings the schema `example` up to date, in one transaction, which waits for other migrations of this database. The schema
 * is there already where the role may not make it.
 *
 * @throws Error if the database cannot be reached or a file fails; nothing is applied then
 */
export async function runMigrations(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000, keepAlive: true })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [PG_MIGRATE_LOCK_ID])
    const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'example'")
    if (rows.length === 0) await client.query('CREATE SCHEMA example')
    await client.query('SET LOCAL search_path TO example')
    // Its BEGIN does nothing in a transaction, and its COMMIT ends ours.
    await runner({
      dbClient: client,
      dir: fileURLToPath(new URL('../migrations', import.meta.url)),
      ignorePattern: '(?:(?!.*\\.sql$).*|\\..*)',
      direction: 'up',
      migrationsSchema: 'example',
      migrationsTable: 'migrations',
      singleTransaction: true,
      noLock: true,
      log: () => undefined,
    })
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    await client.end()
  }
}
