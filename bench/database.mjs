// @ts-check
import { randomBytes } from 'node:crypto'
import { migrate } from '@mono/test-support/tools'
import pg from 'pg'
import { workerNames } from '../scripts/workers.mjs'

/**
 * A migrated database that nobody else uses.
 * @typedef {object} BenchDatabase
 * @property {string} url
 * @property {string} version of the server
 * @property {(sql: string, values?: unknown[]) => Promise<Record<string, any>>} queryRow the first row
 */

/**
 * @template T
 * @param {import('../scripts/services/services.mjs').Services} services
 * @param {(database: BenchDatabase) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withDatabase({ databaseUrl }, work) {
  const name = `bench_${randomBytes(6).toString('hex')}`
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return await withClient(databaseUrl, async (server) => {
    await server.query(`CREATE DATABASE ${name} TEMPLATE template0`)
    try {
      for (const worker of workerNames) await migrate(worker, url.href)
      return await withClient(url.href, async (client) => {
        /** @type {BenchDatabase['queryRow']} */
        const queryRow = async (sql, values) => (await client.query(sql, values)).rows[0]
        const { server_version: version } = await queryRow('SHOW server_version')
        return await work({ url: url.href, version, queryRow })
      })
    } finally {
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    }
  })
}

/**
 * @template T
 * @param {string} connectionString
 * @param {(client: pg.Client) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withClient(connectionString, work) {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {}) // whoever queries it is told
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
