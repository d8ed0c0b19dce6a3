import pg from 'pg'

export interface MigrationClientOptions {
  databaseUrl: string
  /** The worker's own schema. */
  schema: string
}

/** A connection of its own, for work that takes its time. Ends it, and with it whatever it holds, in any case. */
export async function withMigrationClient<T>(
  { databaseUrl, schema }: MigrationClientOptions,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: `${schema} migrations`,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  })
  // A lost connection rejects the running query as well; without a listener it would end the process first.
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
