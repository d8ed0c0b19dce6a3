// @ts-check
import { randomBytes } from 'node:crypto'
import { createTcpProxy } from '@mono/test-support/tools'
import { pushUsers, registerDevices } from '../apps/push-worker/test/description.mjs'
import { openFarEnds } from '../scripts/start/far-ends.mjs'
import { workerOf } from '../scripts/workers.mjs'

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
 * @property {import('@mono/test-support/sinks').PushDevice[]} devices of the users, in their order
 * @property {(queue: import('../scripts/workers.mjs').QueueName) => NodeJS.ProcessEnv} environmentOf its worker
 * @property {() => Promise<void>} close
 */

/**
 * @param {import('./private-services.mjs').PrivateServices} services
 * @param {{ proxied: boolean, databaseProxied: boolean }} options
 * @returns {Promise<Stage>}
 */
export async function openStage({ broker, database }, { proxied, databaseProxied }) {
  const name = `chaos_${randomBytes(4).toString('hex')}`
  await Promise.all([broker.addVhost(name), database.createDatabase(name)])
  const brokerUrl = broker.url(name)
  const databaseUrl = database.url(name)
  const farEnds = await openFarEnds()
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
    devices,
    environmentOf: (queue) => ({
      RABBITMQ_URL: clientUrl,
      DATABASE_URL: databaseProxy?.url(databaseUrl) ?? databaseUrl,
      ...workerOf(queue).createEnvironment?.(farEnds.addresses),
    }),
    async close() {
      await Promise.all([proxy?.close(), databaseProxy?.close(), farEnds.close()])
      await Promise.all([broker.deleteVhost(name), database.dropDatabase(name)])
    },
  }
}
