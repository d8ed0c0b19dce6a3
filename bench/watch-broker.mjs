// @ts-check
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchCpu } from './cpu-samples.mjs'

/** RabbitMQ renews its own numbers every five seconds. */
const everyMs = 1_000

/**
 * Watches the memory and the processor time of a broker's node.
 * @param {import('../scripts/services/services.mjs').Services} services
 * @param {number | undefined} givenPid of a node in a container of this machine, which itself knows another one
 */
export async function watchBroker({ managementUrl, rabbitmqUrl }, givenPid) {
  const { username, password } = new URL(rabbitmqUrl.split(',')[0] ?? '')
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  const ask = async (path) => {
    const response = await fetch(new URL(`/api/${path}`, managementUrl), {
      headers: { authorization: `Basic ${credentials}` },
    })
    return await response.json()
  }
  const node = await untilKnown(async () => (await ask('nodes'))[0])
  const ownPid = isBroker(node.os_pid) ? Number(node.os_pid) : undefined
  const pid = givenPid ?? ownPid
  const cpu = watchCpu(pid)
  const look = async () => {
    const [{ mem_used, fd_total }] = await ask('nodes')
    return { memory: readMemory(pid) ?? Number(mem_used), openFilesLimit: Number(fd_total) }
  }
  return {
    version: String((await ask('overview')).rabbitmq_version),
    /** Memory in bytes. */
    look,
    cpuBetween: cpu.usedBetween,
    /** @returns {() => Promise<number>} the most memory since, in bytes; ends the watch */
    watchMemory() {
      let highest = 0
      const sample = async () => {
        highest = Math.max(highest, (await look()).memory)
      }
      const timer = setInterval(() => void sample().catch(() => {}), everyMs)
      return async () => {
        clearInterval(timer)
        await sample()
        return highest
      }
    },
    stop: () => cpu.stop(),
  }
}

/**
 * A node that has just started knows nothing of itself for some seconds.
 * @param {() => Promise<any>} readNode
 */
async function untilKnown(readNode) {
  for (;;) {
    const node = await readNode()
    if (node.os_pid !== undefined) return node
    await sleep(everyMs)
  }
}

/** @param {string} pid as the node knows it, which may be that of a container */
function isBroker(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'beam.smp'
  } catch {
    return false
  }
}

/**
 * @param {number | undefined} pid
 * @returns {number | undefined} resident, in bytes
 */
function readMemory(pid) {
  if (pid === undefined) return undefined
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return kib === undefined ? undefined : Number(kib) * 1024
}
