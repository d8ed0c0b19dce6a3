// @ts-check
import { adoptNative, readPorts, startNative, stopNative } from '../scripts/services/native.mjs'
import { step } from '../scripts/services/progress.mjs'
import { withLock } from '../scripts/services/state.mjs'
import { openBroker } from './broker.mjs'
import { openNativeNode } from './broker-node.mjs'
import { startContainerNode } from './container-node.mjs'
import { openDatabaseServer } from './database.mjs'

/**
 * @typedef {object} PrivateServices
 * @property {import('./broker.mjs').Broker} broker
 * @property {import('./database.mjs').DatabaseServer} database
 */

/**
 * Runs `work` with a broker and a database server of this run's own, which end with this process, however it ends.
 * @template T
 * @param {string | undefined} rabbitmqImage of a container in place of Debian's broker
 * @param {(services: PrivateServices) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withPrivateServices(rabbitmqImage, work) {
  return await withLock(async () => {
    if ((await adoptNative(['rabbitmq', 'postgres'])).length > 0) await stopNative(['rabbitmq', 'postgres'])
    await startNative(rabbitmqImage ? ['postgres'] : ['rabbitmq', 'postgres'], { endWithParent: true })
    const ports = readPorts()
    if (!ports) throw new Error('Expected the ports of broker and database to be known, found none')
    try {
      const node = rabbitmqImage
        ? await step(`starting ${rabbitmqImage}`, () => startContainerNode(rabbitmqImage))
        : openNativeNode(ports)
      process.once('exit', node.end)
      const broker = await openBroker(node)
      const database = await step('preparing the database', () => openDatabaseServer(ports.postgres))
      // A frozen process would not end with this one.
      process.once('exit', database.thaw)
      return await work({ broker, database })
    } finally {
      await stopNative(['rabbitmq', 'postgres'])
    }
  })
}
