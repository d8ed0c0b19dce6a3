// @ts-check
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../scripts/environment.mjs'
import { rootDirectory } from '../scripts/services/paths.mjs'

/** Clients ask once a minute what they have missed. */
const lookLimitMs = 80_000

/**
 * @typedef {object} Means
 * @property {import('../scripts/services/realtime.mjs').Realtime} realtime
 * @property {string} historyUrl
 * @property {number} conversations
 * @property {number} open how many of them each has open
 */

/**
 * The messages that the clients of a process have received so far.
 * @typedef {object} Tally
 * @property {[conversationId: string, last: number][]} clients how far each has come
 * @property {number} count messages
 * @property {number} filled those of them that the application's server gave
 * @property {[ms: number, count: number][]} latencies
 * @property {[code: string, count: number][]} errors
 */

/**
 * Opens clients in processes of their own, and waits until all are live.
 * @param {number} count
 * @param {Means & { perProcess: number }} means
 */
export async function openBrowsers(count, { perProcess, ...means }) {
  /** @type {ReturnType<typeof openProcess>[]} */
  const processes = []
  for (let first = 0; first < count; first += perProcess) {
    processes.push(
      openProcess('bench/realtime-browsers.mjs', { ...means, first, count: Math.min(perProcess, count - first) }),
    )
  }
  await Promise.all(processes.map(({ ready }) => ready))
  const look = async () => /** @type {Tally[]} */ (await Promise.all(processes.map(({ ask }) => ask())))
  return {
    /**
     * Waits until each has received all of its conversation, or cannot any more.
     * @param {import('./realtime-history.mjs').History} history
     */
    async untilAll(history) {
      const limit = Date.now() + lookLimitMs
      for (;;) {
        const tally = sum(await look())
        const missing = tally.clients.map(([conversationId, last]) => history.count(conversationId) - last)
        const lost = missing.reduce((total, each) => total + each, 0)
        if (lost === 0 || Date.now() > limit) return { ...tally, lost, ...toPercentiles(tally.latencies) }
        await sleep(1_000)
      }
    },
    close: async () => void (await Promise.all(processes.map(({ close }) => close()))),
  }
}

/**
 * Opens connections that subscribe and then read nothing.
 * @param {number} count
 * @param {Means} means
 */
export async function openSlowBrowsers(count, means) {
  if (count === 0) return { readAll: async () => undefined, close: async () => {} }
  const { ready, ask, close } = openProcess('bench/realtime-slow-browsers.mjs', { ...means, first: 0, count })
  await ready
  return { readAll: ask, close }
}

/**
 * @param {string} script
 * @param {Means & { first: number, count: number }} work
 */
function openProcess(script, work) {
  const child = fork(join(rootDirectory, script), { env: environment, execArgv: [] })
  const ended = once(child, 'exit')
  const failure = ended.then(([code]) => {
    throw new Error(`${script} ended with code ${code}`)
  })
  failure.catch(() => {}) // whoever waits for an answer is told
  const nextMessage = async () => (await Promise.race([once(child, 'message'), failure]))[0]
  child.send(work)
  return {
    ready: nextMessage(),
    /** @returns {Promise<unknown>} */
    async ask() {
      const answer = nextMessage()
      child.send('look')
      return await answer
    },
    async close() {
      child.kill()
      await ended
    },
  }
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
function sum(tallies) {
  return {
    clients: tallies.flatMap(({ clients }) => clients),
    count: tallies.reduce((total, { count }) => total + count, 0),
    filled: tallies.reduce((total, { filled }) => total + filled, 0),
    latencies: tallies.flatMap(({ latencies }) => latencies),
    errors: tallies.flatMap(({ errors }) => errors),
  }
}

/** @param {Tally['latencies']} latencies */
function toPercentiles(latencies) {
  const sorted = [...latencies].sort(([a], [b]) => a - b)
  const all = sorted.reduce((total, [, count]) => total + count, 0)
  const percentile = (/** @type {number} */ percent) => {
    let counted = 0
    return sorted.find(([, count]) => {
      counted += count
      return counted >= (all * percent) / 100
    })?.[0]
  }
  return { p50: percentile(50), p99: percentile(99), max: sorted.at(-1)?.[0] }
}
