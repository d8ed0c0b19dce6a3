import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import pg from 'pg'

/**
 * Brings the schema `example` up to date, in one transaction, and waits for other migrations of this database before. The
 * schema is there already where the role may not make it.
 *
 * @throws Error if the database cannot be reached or a file fails; nothing is applied then
 */
export async function runMigrations(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000, keepAlive: true })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rowCount } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'example'")
    await runner({
      dbClient: client,
      dir: fileURLToPath(new URL('../migrations', import.meta.url)),
      ignorePattern: '(?:(?!.*\\.sql$).*|\\..*)',
      direction: 'up',
      migrationsSchema: 'example',
      createMigrationsSchema: rowCount === 0,
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      log: () => undefined,
    })
  } finally {
    await client.end()
  }
}
