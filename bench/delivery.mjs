// @ts-check
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'
import { watchCpu } from './cpu-samples.mjs'
import { startWorker } from './start-worker.mjs'
import { untilDrained } from './until-drained.mjs'
import { withMessageQueue } from './with-message-queue.mjs'

/**
 * @typedef {object} DeliveryBench
 * @property {string} title
 * @property {number | undefined} bar
 * @property {number} count deliveries, each to another recipient
 * @property {'push.notifications' | 'email.notifications'} queue
 * @property {'push.deliveries' | 'email.deliveries'} ledger
 * @property {(messageQueue: import('@mono/message-queue').MessageQueue) => Promise<unknown>[]} publish
 * @property {import('./start-worker.mjs').WorkerProcess} worker
 * @property {{ script: string, args: (string | number)[], env?: NodeJS.ProcessEnv }} reference sends as much, and ends
 *
 * @typedef {object} DeliveryMeans
 * @property {import('./vhost.mjs').BenchVhost} vhost
 * @property {import('./database.mjs').BenchDatabase} database
 * @property {import('./sink-child.mjs').Sink} sink
 */

/**
 * Sends to a sink. Each run is a process of its own, and what the sink sees is what counts: from the first delivery that
 * it takes to the last. The worker meets a full queue just declared and an empty ledger.
 * @param {DeliveryBench} bench
 * @param {DeliveryMeans} means
 * @returns {import('./compare.mjs').Comparison}
 */
export function createDeliveryComparison(bench, { vhost, database, sink }) {
  const { title, bar, count, ledger, worker, reference } = bench
  const queue = vhost.openQueue(bench.queue)
  /** What the first run has sent; the other side must send the same. @type {string | undefined} */
  let expected

  /** @param {ReturnType<typeof watchCpu>} cpu */
  async function measure(cpu) {
    const { recipients, bytes, firstAt, lastAt, sample, ...taken } = await sink.look()
    cpu.stop()
    if (taken.count !== count || recipients !== count) {
      throw new Error(`Expected ${count} deliveries, each to another, found ${taken.count} to ${recipients}.`)
    }
    const sent = `${bytes} bytes in all, the first:\n${sample}`
    expected ??= sent
    if (sent !== expected) throw new Error(`Expected ${expected}\nfound ${sent}`)
    return { count: count - 1, seconds: (lastAt - firstAt) / 1000, cpuMs: cpu.usedBetween(firstAt, lastAt) }
  }

  return {
    title,
    bar,
    async ours(signal) {
      await queue.renew()
      await database.queryRow(`TRUNCATE ${ledger}`)
      await withMessageQueue(vhost.url, (messageQueue) => Promise.all(bench.publish(messageQueue)))
      await sink.renew()
      const child = startWorker(worker, { vhost, database, signal })
      const cpu = watchCpu(child.child.pid)
      const sql = `SELECT count(*)::int AS sent FROM ${ledger} WHERE state = 'sent'`
      await untilDrained(queue, child, async () => (await database.queryRow(sql)).sent, { count, signal })
      return await measure(cpu)
    },
    async reference(signal) {
      await sink.renew()
      const script = startScript(reference.script, { ...reference, env: { ...environment, ...reference.env }, signal })
      const cpu = watchCpu(script.child.pid)
      await script.ended
      return await measure(cpu)
    },
  }
}
