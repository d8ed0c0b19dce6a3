// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessageQueue } from '@mono/message-queue'
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'
import { untilRecorded } from './until-recorded.mjs'

/** For the acks of the last messages; this part is not measured. */
const lastAcksMs = 500

/**
 * @typedef {object} DeliveryBench
 * @property {string} title
 * @property {number | undefined} bar
 * @property {number} count deliveries, each to another recipient
 * @property {'push.notifications' | 'email.notifications'} queue
 * @property {'push.deliveries' | 'email.deliveries'} ledger
 * @property {(messageQueue: import('@mono/message-queue').MessageQueue) => Promise<unknown>[]} publish
 * @property {{ script: string, env: NodeJS.ProcessEnv }} worker
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

  async function measure() {
    const { recipients, bytes, seconds, sample, ...taken } = await sink.look()
    if (taken.count !== count || recipients !== count) {
      throw new Error(`Expected ${count} deliveries, each to another, found ${taken.count} to ${recipients}.`)
    }
    const sent = `${bytes} bytes in all, the first:\n${sample}`
    expected ??= sent
    if (sent !== expected) throw new Error(`Expected ${expected}\nfound ${sent}`)
    return { count: count - 1, seconds }
  }

  return {
    title,
    bar,
    async ours(signal) {
      await queue.renew()
      await database.queryRow(`TRUNCATE ${ledger}`)
      await fillQueue(vhost.url, bench.publish)
      await sink.renew()
      const env = { NODE_ENV: 'production', RABBITMQ_URL: vhost.url, DATABASE_URL: database.url, HTTP_PORT: '0' }
      const child = startScript(worker.script, { env: { ...environment, ...env, ...worker.env }, signal })
      const sql = `SELECT count(*)::int AS sent FROM ${ledger} WHERE state = 'sent'`
      await untilRecorded(child, async () => (await database.queryRow(sql)).sent, { count, signal })
      await sleep(lastAcksMs)
      child.stop()
      await child.ended
      await queue.assertEmpty()
      return await measure()
    },
    async reference(signal) {
      await sink.renew()
      await startScript(reference.script, { ...reference, env: { ...environment, ...reference.env }, signal }).ended
      return await measure()
    },
  }
}

/**
 * @param {string} url
 * @param {DeliveryBench['publish']} publish
 */
async function fillQueue(url, publish) {
  const messageQueue = createMessageQueue({ url })
  try {
    await Promise.all(publish(messageQueue))
  } finally {
    await messageQueue.close()
  }
}
