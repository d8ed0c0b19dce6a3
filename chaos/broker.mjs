// @ts-check
import {
  brokerUrl,
  findRunningRabbitmq,
  runRabbitmqctl,
  startRabbitmq,
  stopRabbitmq,
} from '../scripts/services/native-rabbitmq.mjs'
import { signalProcess, waitForExit } from '../scripts/services/processes.mjs'
import { queueNames } from './messages.mjs'

const user = 'chaos'
/** Another than that of development, which NODE_ENV=production refuses. */
const password = 'broken-on-purpose'
const commandSeconds = 30

/**
 * The private broker, and what can be done to it.
 * @typedef {object} Broker
 * @property {(vhost: string) => string} url
 * @property {(vhost: string) => Promise<void>} addVhost
 * @property {(vhost: string) => Promise<void>} deleteVhost
 * @property {(vhost: string, limits: Record<string, number>) => Promise<void>} limitWorkQueues by a policy; the lower limit counts
 * @property {() => Promise<void>} start after `stop` or `kill`
 * @property {() => Promise<void>} stop in order
 * @property {() => Promise<void>} kill SIGKILL
 * @property {() => void} freeze SIGSTOP: the kernel still takes connections, nobody answers
 * @property {() => void} thaw
 * @property {(...command: string[]) => Promise<void>} ctl rabbitmqctl
 * @property {() => Promise<void>} heal whatever a scenario did, it runs afterwards and takes messages
 */

/**
 * @param {import('../scripts/services/native-rabbitmq.mjs').BrokerPorts} ports
 * @returns {Promise<Broker>}
 */
export async function openBroker(ports) {
  const ctl = async (/** @type {string[]} */ ...command) => {
    const { code, stderr } = await runRabbitmqctl(ports, command, { timeoutSeconds: commandSeconds })
    if (code !== 0) throw new Error(`rabbitmqctl ${command[0]} failed with code ${code}: ${stderr.trim()}`)
  }
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    const node = findRunningRabbitmq()
    if (node) signalProcess(node, name)
    return node
  }
  const start = () => startRabbitmq(ports, { endWithParent: true })
  /** @type {Broker} */
  const broker = {
    url(vhost) {
      const url = new URL(brokerUrl(ports))
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
    start,
    stop: () => stopRabbitmq(ports),
    async kill() {
      const node = signal('SIGKILL')
      if (node) await waitForExit(node, 5000)
      await stopRabbitmq(undefined) // its epmd is left
    },
    freeze: () => void signal('SIGSTOP'),
    thaw: () => void signal('SIGCONT'),
    ctl,
    async heal() {
      broker.thaw()
      if (!findRunningRabbitmq()) await start()
      await ctl('set_vm_memory_high_watermark', 'absolute', '1GiB')
      await ctl('set_disk_free_limit', '50MB')
    },
  }
  await ctl('delete_user', user).catch(() => {}) // left by an earlier run
  await ctl('add_user', user, password)
  return broker
}
