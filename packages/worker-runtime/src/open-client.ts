import pg from 'pg'

/** A connection of its own, for work that takes its time. Whoever asks for it ends it. */
export async function openClient(databaseUrl: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  })
  // A lost connection rejects the running query as well; without a listener it would end the process first.
  client.on('error', () => {})
  await client.connect()
  return client
}
