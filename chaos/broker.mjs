// @ts-check
import { queueNames } from '../scripts/workers.mjs'

const user = 'chaos'
/** Another than that of development, which NODE_ENV=production refuses. */
const password = 'broken-on-purpose'

/**
 * A broker of this run's own, and what can be done to it.
 * @typedef {Pick<import('./broker-node.mjs').BrokerNode, 'start' | 'stop' | 'kill' | 'freeze' | 'thaw' | 'end'> & BrokerUses} Broker
 *
 * @typedef {object} BrokerUses
 * @property {(vhost: string) => string} url
 * @property {(vhost: string) => Promise<void>} addVhost
 * @property {(vhost: string) => Promise<void>} deleteVhost
 * @property {(vhost: string, limits: Record<string, number>) => Promise<void>} limitWorkQueues by a policy; the lower limit counts
 * @property {(...command: string[]) => Promise<void>} ctl rabbitmqctl
 * @property {() => Promise<void>} heal whatever a scenario did, it runs afterwards and takes messages
 */

/**
 * @param {import('./broker-node.mjs').BrokerNode} node
 * @returns {Promise<Broker>}
 */
export async function openBroker(node) {
  const ctl = async (/** @type {string[]} */ ...command) => {
    const { code, stderr } = await node.ctl(command)
    if (code !== 0) throw new Error(`rabbitmqctl ${command[0]} failed with code ${code}: ${stderr.trim()}`)
  }
  /** @type {Broker} */
  const broker = {
    ...node,
    url(vhost) {
      const url = new URL(node.url)
      Object.assign(url, { username: user, password, pathname: `/${vhost}` })
      return url.href
    },
    async addVhost(vhost) {
      await ctl('add_vhost', vhost)
      await ctl('set_permissions', '-p', vhost, user, '.*', '.*', '.*')
    },
    deleteVhost: (vhost) => ctl('delete_vhost', vhost),
    async limitWorkQueues(vhost, limits) {
      const pattern = `^(${queueNames.join('|')})$`
      await ctl('set_policy', '-p', vhost, 'limits', pattern, JSON.stringify(limits), '--apply-to', 'queues')
    },
    ctl,
    async heal() {
      node.thaw()
      if (!(await node.isRunning())) await node.start()
      await ctl('set_vm_memory_high_watermark', 'absolute', '1GiB')
      await ctl('set_disk_free_limit', '50MB')
    },
  }
  await ctl('delete_user', user).catch(() => {}) // left by an earlier run
  await ctl('add_user', user, password)
  return broker
}
