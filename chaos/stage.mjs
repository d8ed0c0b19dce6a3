// @ts-check
import { randomBytes } from 'node:crypto'
import { createTcpProxy } from '@mono/test-support/tcp-proxy'
import { openFarEnds } from '../scripts/start/far-ends.mjs'
import { workers } from '../scripts/start/workers.mjs'
import { pushUsers, tenantId } from './messages.mjs'

/**
 * What a scenario has to itself: a vhost, a database, a push service, a mail server, and the network between them.
 * @typedef {object} Stage
 * @property {string} vhost
 * @property {string} brokerUrl past the proxy, for looking and for draining
 * @property {string} clientUrl for workers and publisher
 * @property {import('@mono/test-support/tcp-proxy').TcpProxy | undefined} proxy between them and the broker
 * @property {string} databaseUrl
 * @property {(sql: string, params?: unknown[]) => Promise<any[]>} query
 * @property {import('../scripts/start/far-ends.mjs').FarEnds} farEnds
 * @property {import('@mono/test-support/sinks').PushDevice[]} devices of the users, in their order
 * @property {(worker: string) => NodeJS.ProcessEnv} environmentOf
 * @property {() => Promise<void>} close
 */

/**
 * @param {import('./private-services.mjs').PrivateServices} services
 * @param {{ proxied: boolean }} options
 * @returns {Promise<Stage>}
 */
export async function openStage({ broker, database }, { proxied }) {
  const name = `chaos_${randomBytes(4).toString('hex')}`
  await Promise.all([broker.addVhost(name), database.createDatabase(name)])
  const brokerUrl = broker.url(name)
  const databaseUrl = database.url(name)
  const farEnds = await openFarEnds()
  const proxy = proxied ? await createTcpProxy({ target: brokerUrl }) : undefined
  const clientUrl = proxy?.url(brokerUrl) ?? brokerUrl
  const query = (/** @type {string} */ sql, /** @type {unknown[]} */ params = []) => database.query(name, sql, params)
  const devices = pushUsers.map(() => farEnds.pushService.subscribe())
  await query(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth)
      SELECT $1, each.user, 'web', each.endpoint, each.p256dh, each.auth
      FROM jsonb_to_recordset($2) AS each("user" text, endpoint text, p256dh text, auth text)`,
    [tenantId, JSON.stringify(devices.map((device, index) => ({ user: pushUsers[index], ...device })))],
  )
  return {
    vhost: name,
    brokerUrl,
    clientUrl,
    proxy,
    databaseUrl,
    query,
    farEnds,
    devices,
    environmentOf: (worker) => ({
      RABBITMQ_URL: clientUrl,
      DATABASE_URL: databaseUrl,
      ...workers.find((each) => each.name === worker)?.env?.(farEnds),
    }),
    async close() {
      await Promise.all([proxy?.close(), farEnds.close(), broker.deleteVhost(name), database.dropDatabase(name)])
    },
  }
}
