// @ts-check
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMailServerHost, startMailServer } from '@mono/test-support/mail-servers'
import { createTcpProxy } from '@mono/test-support/tools'
import { pushUsers, registerDevices } from '../apps/push-worker/test/description.mjs'
import { say } from '../scripts/services/progress.mjs'
import { openFarEnds } from '../scripts/start/far-ends.mjs'
import { workerOf } from '../scripts/workers.mjs'
import { openScriptedMailServer } from './scripted-mail-server.mjs'

/**
 * What a scenario has to itself: a vhost, a database, a push service, a mail server, and the network between them.
 * @typedef {object} Stage
 * @property {string} vhost
 * @property {string} brokerUrl past the proxy, for looking and for draining
 * @property {string} clientUrl for workers and publisher
 * @property {import('@mono/test-support/tools').TcpProxy | undefined} proxy between them and the broker
 * @property {import('@mono/test-support/tools').TcpProxy | undefined} databaseProxy between workers and the database
 * @property {(sql: string, params?: unknown[]) => Promise<any[]>} query
 * @property {import('../scripts/start/far-ends.mjs').FarEnds} farEnds
 * @property {import('./scripted-mail-server.mjs').DayServer | undefined} mailServer in place of the mail catcher
 * @property {() => Promise<{ subject: string | undefined, at: number }[]>} listMails what either has taken
 * @property {import('@mono/test-support/sinks').PushDevice[]} devices of the users, in their order
 * @property {(queue: import('../scripts/workers.mjs').QueueName) => NodeJS.ProcessEnv} environmentOf its worker
 * @property {() => Promise<void>} close
 */

/**
 * @param {import('./private-services.mjs').PrivateServices} services
 * @param {{ proxied: boolean, databaseProxied: boolean, mailServer: import('./scenario.mjs').Scenario['mailServer'] }} options
 * @returns {Promise<Stage>}
 */
export async function openStage({ broker, database }, { proxied, databaseProxied, mailServer: wanted }) {
  const name = `chaos_${randomBytes(4).toString('hex')}`
  await Promise.all([broker.addVhost(name), database.createDatabase(name)])
  const brokerUrl = broker.url(name)
  const databaseUrl = database.url(name)
  const farEnds = await openFarEnds()
  const ownMailServer = wanted && (await openMailServer(wanted))
  const proxy = proxied ? await createTcpProxy({ target: brokerUrl }) : undefined
  const databaseProxy = databaseProxied ? await createTcpProxy({ target: databaseUrl }) : undefined
  const clientUrl = proxy?.url(brokerUrl) ?? brokerUrl
  const query = (/** @type {string} */ sql, /** @type {unknown[]} */ params = []) => database.query(name, sql, params)
  const devices = pushUsers.map(() => farEnds.pushService.subscribe())
  await registerDevices(query, pushUsers, devices)
  return {
    vhost: name,
    brokerUrl,
    clientUrl,
    proxy,
    databaseProxy,
    query,
    farEnds,
    mailServer: ownMailServer?.server,
    listMails: ownMailServer?.listMails ?? (async () => [...farEnds.mailCatcher.received]),
    devices,
    environmentOf: (queue) => ({
      RABBITMQ_URL: clientUrl,
      DATABASE_URL: databaseProxy?.url(databaseUrl) ?? databaseUrl,
      ...workerOf(queue).createEnvironment?.(farEnds.addresses),
      ...ownMailServer?.environment,
    }),
    async close() {
      await Promise.all([proxy?.close(), databaseProxy?.close(), farEnds.close(), ownMailServer?.close()])
      await Promise.all([broker.deleteVhost(name), database.dropDatabase(name)])
    },
  }
}

/**
 * One of Debian's mail servers, not yet there.
 * @param {NonNullable<import('./scenario.mjs').Scenario['mailServer']>} wanted
 */
async function openMailServer({ name, authority }) {
  const server = await openServer(name)
  const directory = mkdtempSync(join(tmpdir(), 'chaos-'))
  const authorityFile = join(directory, 'authority.pem')
  writeFileSync(authorityFile, authority)
  /** @type {{ subject: string | undefined, at: number }[]} */
  let mails = []
  return {
    server,
    environment: { SMTP_URL: `${server.url}?tls=required`, NODE_EXTRA_CA_CERTS: authorityFile },
    // Reading all of them takes seconds, and it is asked again and again.
    async listMails() {
      if ((await server.countMails()) !== mails.length) mails = await server.readMails()
      return mails
    },
    async close() {
      rmSync(directory, { recursive: true })
      await server.close()
    },
  }
}

/**
 * @param {NonNullable<import('./scenario.mjs').Scenario['mailServer']>['name']} name
 * @returns {Promise<import('./scripted-mail-server.mjs').DayServer>}
 */
async function openServer(name) {
  if (name === 'scripted') return await openScriptedMailServer()
  const found = await findMailServerHost(name)
  if ('obstacle' in found) {
    say(`A scripted mail server is used: ${name} cannot be run here, ${found.obstacle}`)
    return await openScriptedMailServer()
  }
  const server = await startMailServer(name)
  await server.stop()
  return server
}
