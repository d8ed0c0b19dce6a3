// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { migrate, waitFor } from '@mono/test-support/tools'
import pg from 'pg'
import {
  databaseUrl,
  findRunningPostgres,
  replaceByStandby,
  startPostgres,
  startStandby,
} from '../scripts/services/native-postgres.mjs'
import { instanceName } from '../scripts/services/paths.mjs'
import { choosePorts } from '../scripts/services/ports.mjs'
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
 * @property {() => Promise<number>} failOver makes a standby that each commit waits for, kills the primary, and promotes the
 *   standby in its place. Resolves to the milliseconds between
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
    async failOver() {
      const { standby } = await choosePorts({ standby: undefined }, instanceName)
      await startStandby({ primaryPort: port, port: standby })
      await query('postgres', "ALTER SYSTEM SET synchronous_standby_names = '*'")
      await query('postgres', 'SELECT pg_reload_conf()')
      const findSynchronous = () => query('postgres', "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")
      await waitFor(async () => (await findSynchronous()).length > 0, { what: 'commits to wait for the standby' })
      const killedAt = performance.now()
      await server.kill()
      await replaceByStandby(port)
      await query('postgres', 'SELECT pg_promote()')
      return performance.now() - killedAt
    },
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
