// @ts-check
import { startScript } from '../scripts/start-script.mjs'
import { describeMessage } from './describe-message.mjs'

const count = 120_000
const warmUp = 5_000
const inFlight = 500

/**
 * Sends events into the work queue. Each run is a process of its own and meets a queue just declared.
 * @param {import('./vhost.mjs').BenchVhost} vhost
 * @returns {import('./compare.mjs').Comparison}
 */
export function createPublishComparison(vhost) {
  const queue = vhost.openQueue('audit.events')
  /** What the first run has sent; the other side must send the same. @type {string | undefined} */
  let expected

  const run = (/** @type {string} */ script) => async (/** @type {AbortSignal} */ signal) => {
    await queue.renew()
    const args = [script, vhost.url, count, inFlight, warmUp]
    const seconds = Number(await startScript('bench/publish-process.mjs', { args, signal }).ended)

    const found = await queue.countMessages()
    if (found !== count + warmUp) {
      throw new Error(`${script}: expected ${count + warmUp} messages in the queue, found ${found}.`)
    }
    const sent = describeMessage(await queue.takeMessage())
    expected ??= sent
    if (sent !== expected) throw new Error(`${script}: expected messages like\n${expected}\nfound\n${sent}`)
    return { count, seconds }
  }
  return {
    title: `publish: sendAuditEvent against plain amqplib, ${inFlight} in flight, ${count.toLocaleString('en')} events`,
    bar: 0.8,
    ours: run('subject-publish.mjs'),
    reference: run('reference-publish.mjs'),
  }
}
