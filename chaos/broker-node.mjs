// @ts-check
import {
  brokerUrl,
  findRunningRabbitmq,
  runRabbitmqctl,
  startRabbitmq,
  stopRabbitmq,
} from '../scripts/services/native-rabbitmq.mjs'
import { signalProcess, waitForExit } from '../scripts/services/processes.mjs'

/** How long a command may take. */
export const ctlLimitSeconds = 30

/**
 * The process of a broker, or its container.
 * @typedef {object} BrokerNode
 * @property {string} url of its administrator
 * @property {(command: string[]) => ReturnType<typeof import('../scripts/services/processes.mjs').run>} ctl rabbitmqctl
 * @property {() => Promise<boolean>} isRunning also when it is frozen
 * @property {() => Promise<void>} start after `stop` or `kill`
 * @property {() => Promise<void>} stop in order
 * @property {() => Promise<void>} kill SIGKILL
 * @property {() => void} freeze the kernel still takes connections, nobody answers
 * @property {() => void} thaw
 * @property {() => void} end for good, and at once
 */

/**
 * The private broker of Debian's package.
 * @param {import('../scripts/services/native-rabbitmq.mjs').BrokerPorts} ports
 * @returns {BrokerNode}
 */
export function openNativeNode(ports) {
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    const node = findRunningRabbitmq()
    if (node) signalProcess(node, name)
    return node
  }
  const thaw = () => void signal('SIGCONT')
  return {
    url: brokerUrl(ports),
    ctl: (command) => runRabbitmqctl(ports, command, { timeoutSeconds: ctlLimitSeconds }),
    isRunning: async () => findRunningRabbitmq() !== undefined,
    start: () => startRabbitmq(ports, { endWithParent: true }),
    stop: () => stopRabbitmq(ports),
    async kill() {
      const node = signal('SIGKILL')
      if (node) await waitForExit(node, 5000)
      await stopRabbitmq(undefined) // its epmd is left
    },
    freeze: () => void signal('SIGSTOP'),
    thaw,
    // It ends with this process, unless it is frozen.
    end: thaw,
  }
}
