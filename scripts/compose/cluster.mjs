// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { queueNames } from '../workers.mjs'
import { docker } from './docker.mjs'

/**
 * @typedef {object} ClusterNode
 * @property {string} name among the nodes
 * @property {string} container
 * @property {string} managementUrl
 *
 * @typedef {{ name: string, leader: string, members: string[], online: string[] }} ClusterQueue
 *
 * @typedef {object} Cluster
 * @property {ClusterNode[]} nodes
 * @property {(by: ClusterNode) => Promise<string[]>} listRunning as this node sees it
 * @property {(by: ClusterNode) => Promise<ClusterQueue[]>} listQueues as this node sees them
 * @property {(by: ClusterNode) => Promise<Map<string, number>>} countLed work queues, by the node that leads them
 * @property {(node: ClusterNode) => Promise<unknown>} kill
 * @property {(node: ClusterNode) => Promise<unknown>} start
 * @property {(node: ClusterNode) => Promise<unknown>} freeze the kernel still takes connections, nobody answers
 * @property {(node: ClusterNode) => Promise<unknown>} thaw
 * @property {(timeoutMs: number) => Promise<string[]>} untilWhole waits until every node runs and every queue has all its
 * members online; then what is still amiss
 */

const pollMs = 1000
const answerLimitMs = 10_000

/** @param {ClusterNode} node @param {string} path @returns {Promise<any[]>} */
async function ask({ name, managementUrl }, path) {
  const authorization = `Basic ${Buffer.from('admin:admin123').toString('base64')}`
  const signal = AbortSignal.timeout(answerLimitMs)
  const response = await fetch(`${managementUrl}/api/${path}`, { headers: { authorization }, signal }).catch(
    (error) => {
      throw new Error(`${name} does not answer: ${error.cause?.message ?? error.message}`, { cause: error })
    },
  )
  if (!response.ok) throw new Error(`${name}, ${path}: expected success, found ${response.status}`)
  return /** @type {any[]} */ (await response.json())
}

/**
 * The nodes of docker-compose.cluster.yml.
 * @param {string} container the first node's
 * @param {number[]} managementPorts of the nodes in turn
 * @returns {Cluster}
 */
export function openCluster(container, managementPorts) {
  const nodes = [
    { name: 'rabbit@RevitonQ', container },
    { name: 'rabbit@rabbitmq-2', container: `${container}-2` },
    { name: 'rabbit@rabbitmq-3', container: `${container}-3` },
  ].map((node, index) => ({ ...node, managementUrl: `http://127.0.0.1:${managementPorts[index]}` }))

  /** @type {Cluster['listRunning']} */
  const listRunning = async (by) => {
    const found = await ask(by, 'nodes')
    return found.filter(({ running }) => running).map(({ name }) => name)
  }
  /** @type {Cluster['listQueues']} */
  const listQueues = async (by) =>
    (await ask(by, 'queues/mono'))
      // A browser's queue is on one node, and ends with its connection.
      .filter(({ name }) => !name.startsWith('mqtt-subscription-'))
      // Of a queue that has no leader just now only the name is told.
      .map(({ name, leader = '', members = [], online = [] }) => ({ name, leader, members, online }))

  async function findAmiss() {
    const amiss = []
    for (const node of nodes) {
      const running = await listRunning(node)
      if (running.length !== nodes.length) amiss.push(`${node.name} sees ${running.length} running nodes`)
    }
    for (const { name, members, online } of await listQueues(/** @type {ClusterNode} */ (nodes[0]))) {
      if (members.length !== nodes.length) amiss.push(`${name} has ${members.length} members`)
      else if (online.length !== nodes.length) amiss.push(`${name} has ${online.length} members online`)
    }
    return amiss
  }

  return {
    nodes,
    listRunning,
    listQueues,
    async countLed(by) {
      const led = new Map(nodes.map(({ name }) => [name, 0]))
      for (const { name, leader } of await listQueues(by)) {
        if (queueNames.some((queue) => queue === name)) led.set(leader, (led.get(leader) ?? 0) + 1)
      }
      return led
    },
    kill: (node) => docker('kill', '--signal', 'KILL', node.container),
    start: (node) => docker('start', node.container),
    freeze: (node) => docker('pause', node.container),
    thaw: (node) => docker('unpause', node.container),
    async untilWhole(timeoutMs) {
      const deadline = performance.now() + timeoutMs
      for (;;) {
        // A node that is starting answers nothing yet.
        const amiss = await findAmiss().catch((error) => [String(error.message)])
        if (amiss.length === 0 || performance.now() > deadline) return amiss
        await sleep(pollMs)
      }
    },
  }
}
