// @ts-check
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import process from 'node:process'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessageQueue } from '@mono/message-queue'
import { toMessageId, workerOf } from '../scripts/workers.mjs'

// An application, in a process of its own: sends most messages evenly over the seconds it is told, the rest when it is told
// that the fault is over, and writes down what became of each. One whose outcome is unknown it sends again with the same id, as the client advises.

const maxTries = 5
const tickMs = 20

/** @type {import('./publisher.mjs').PublisherTask} */
const { url, counts, seconds, journalFile } = JSON.parse(process.argv[2] ?? '')
const journal = createWriteStream(journalFile)
const messageQueue = createMessageQueue({ url, connectionName: 'chaos-publisher' })

/** @param {import('../scripts/workers.mjs').QueueName} queue @param {number} index */
async function publish(queue, index) {
  const { createPayload, send } = workerOf(queue)
  const id = toMessageId(queue, index)
  const payload = createPayload(index, id)
  const sentAt = Date.now()
  let timeouts = 0
  let longestMs = 0
  let outcome = 'confirmed'
  let code
  try {
    await sendUntilKnown()
  } catch (error) {
    code = /** @type {{ code?: string }} */ (error).code ?? String(error)
    outcome = timeouts > 0 ? 'unknown' : 'refused'
  }
  const settledAt = Date.now()
  journal.write(`${JSON.stringify({ id, queue, outcome, timeouts, code, sentAt, settledAt, longestMs })}\n`)

  async function sendUntilKnown() {
    for (;;) {
      const startedAt = performance.now()
      try {
        return await send(messageQueue, payload, id)
      } catch (error) {
        if (/** @type {{ code?: string }} */ (error).code !== 'PUBLISH_TIMEOUT') throw error
        timeouts += 1
        if (timeouts === maxTries) throw error
      } finally {
        longestMs = Math.max(longestMs, Math.round(performance.now() - startedAt))
      }
    }
  }
}

/**
 * @param {(count: number) => { from: number, to: number }} part of each queue's messages
 * @param {number} seconds over which they are spread
 */
async function publishEvenly(part, seconds) {
  const startedAt = performance.now()
  const lanes = Object.entries(counts).map(([queue, count]) => {
    const { from, to } = part(count)
    return { queue: /** @type {import('../scripts/workers.mjs').QueueName} */ (queue), from, to, next: from }
  })
  /** @type {Promise<void>[]} */
  const sends = []
  while (lanes.some(({ next, to }) => next < to)) {
    const share = Math.min(1, (performance.now() - startedAt) / 1000 / seconds)
    for (const lane of lanes) {
      const due = lane.from + Math.ceil(share * (lane.to - lane.from))
      while (lane.next < due) sends.push(publish(lane.queue, lane.next++))
    }
    await sleep(tickMs)
  }
  await Promise.all(sends)
}

const toMiddle = (/** @type {number} */ count) => Math.ceil(count * 0.7)

await messageQueue.connect({ deadlineMs: 30_000 })
process.stdout.write('connected\n')
const first = publishEvenly((count) => ({ from: 0, to: toMiddle(count) }), seconds.first)
await once(process.stdin, 'data') // the fault is over
const rest = publishEvenly((count) => ({ from: toMiddle(count), to: count }), seconds.rest)
await Promise.all([first, rest])
journal.end()
await finished(journal)
await messageQueue.close()
process.stdin.destroy()
