// @ts-check
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { environment } from '../environment.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { startScript } from '../start-script.mjs'
import { startProcess } from './start-process.mjs'

/** The usual port of its page. */
export const applicationPort = 8080

const directory = 'examples/application'

/** @param {string} databaseUrl */
export async function migrateApplication(databaseUrl) {
  await startScript(`${directory}/dist/migrate.js`, { env: { ...environment, DATABASE_URL: databaseUrl } }).ended
}

/**
 * Lets the application count what became of a notification, when the workers have migrated. All use the database's one user
 * here, who needs no more rights.
 * @param {string} databaseUrl
 */
export async function makeLedgersCountable(databaseUrl) {
  // Only here, since it is not there before the dependencies are installed.
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: databaseUrl })
  client.on('error', () => {}) // whoever queries is told
  try {
    await client.connect()
    await client.query(await readFile(join(rootDirectory, 'docker/postgres/ledger-outcomes.sql'), 'utf8'))
  } finally {
    await client.end()
  }
}

/**
 * Starts the example application, which knows the far ends as the workers do.
 * @param {object} options
 * @param {Pick<import('../services/services.mjs').Services, 'rabbitmqUrl' | 'databaseUrl'>} options.services
 * @param {import('../services/realtime.mjs').Realtime} options.realtime
 * @param {import('./far-ends.mjs').FarEnds} options.farEnds
 * @param {number} options.port
 */
export function startApplication({ services, realtime, farEnds, port }) {
  return startProcess('application', `${directory}/dist/main.js`, {
    RABBITMQ_URL: services.rabbitmqUrl,
    DATABASE_URL: services.databaseUrl,
    HTTP_PORT: String(port),
    // Everybody who reaches it may log in.
    HTTP_HOST: '127.0.0.1',
    REALTIME_URL: realtime.url,
    REALTIME_KEY_FILE: realtime.keyFile,
    VAPID_PUBLIC_KEY: farEnds.addresses.vapid.publicKey,
    MAIL_CATCHER_URL: farEnds.mailPage,
  })
}
