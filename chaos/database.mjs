// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { migrate } from '@mono/test-support/tools'
import pg from 'pg'
import { databaseUrl, findRunningPostgres, startPostgres } from '../scripts/services/native-postgres.mjs'
import { instanceName } from '../scripts/services/paths.mjs'
import { findInstanceProcesses, signalProcess, waitForExit } from '../scripts/services/processes.mjs'
import { workerNames } from '../scripts/workers.mjs'

const template = 'chaos_template'

/**
 * The private database server, and what can be done to it.
 * @typedef {object} DatabaseServer
 * @property {(name: string) => string} url
 * @property {(name: string) => Promise<void>} createDatabase migrated
 * @property {(name: string) => Promise<void>} dropDatabase
 * @property {(name: string, sql: string, params?: unknown[]) => Promise<any[]>} query over a connection of its own
 * @property {() => Promise<void>} freeze SIGSTOP of all its processes
 * @property {() => void} thaw
 * @property {() => Promise<void>} kill SIGKILL of the postmaster; the others end with it
 * @property {() => Promise<void>} start after `kill`
 * @property {() => Promise<void>} heal whatever a scenario did, it runs afterwards
 */

/**
 * @param {number} port
 * @returns {Promise<DatabaseServer>}
 */
export async function openDatabaseServer(port) {
  const url = (/** @type {string} */ name) => Object.assign(new URL(databaseUrl(port)), { pathname: `/${name}` }).href
  const findProcesses = () => findInstanceProcesses(instanceName).filter(({ command }) => command === 'postgres')
  const start = () => startPostgres(port, { endWithParent: true })
  /** @type {DatabaseServer['query']} */
  const query = async (name, sql, params = []) => {
    const client = new pg.Client({ connectionString: url(name), connectionTimeoutMillis: 10_000 })
    client.on('error', () => {}) // whoever queries it is told
    await client.connect()
    try {
      return (await client.query(sql, params)).rows
    } finally {
      await client.end()
    }
  }
  /** @type {DatabaseServer} */
  const server = {
    url,
    query,
    async createDatabase(name) {
      await query('postgres', `CREATE DATABASE ${name} TEMPLATE ${template}`)
    },
    async dropDatabase(name) {
      await query('postgres', `DROP DATABASE ${name} WITH (FORCE)`)
    },
    async freeze() {
      // The postmaster first, so that there are no new ones.
      const postmaster = findRunningPostgres()
      if (postmaster) signalProcess(postmaster, 'SIGSTOP')
      await sleep(50)
      for (const each of findProcesses()) signalProcess(each, 'SIGSTOP')
    },
    thaw() {
      for (const each of findProcesses()) signalProcess(each, 'SIGCONT')
    },
    async kill() {
      const all = findProcesses()
      const postmaster = findRunningPostgres()
      if (postmaster) signalProcess(postmaster, 'SIGKILL')
      for (const each of all) await waitForExit(each, 10_000)
    },
    start,
    async heal() {
      server.thaw()
      if (!findRunningPostgres()) await start()
    },
  }
  await query('postgres', `DROP DATABASE IF EXISTS ${template}`)
  await query('postgres', `CREATE DATABASE ${template} TEMPLATE template0`)
  for (const worker of workerNames) await migrate(worker, url(template))
  return server
}
