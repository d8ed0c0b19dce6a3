// @ts-check
import { createWriteStream } from 'node:fs'
import process from 'node:process'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessageQueue } from '@mono/message-queue'
import { messageKinds, toMessageId } from './messages.mjs'

// An application, in a process of its own: sends evenly over the seconds it is told, and writes down what it was told of
// each message. One whose outcome is unknown it sends again with the same id, as the client advises.

const maxTries = 5
const tickMs = 20

/** @type {import('./publisher.mjs').PublisherTask} */
const { url, counts, seconds, journalFile } = JSON.parse(process.argv[2] ?? '')
const journal = createWriteStream(journalFile)
const messageQueue = createMessageQueue({ url, connectionName: 'chaos-publisher' })

/** @param {import('./messages.mjs').QueueName} queue @param {number} index */
async function publish(queue, index) {
  const { createPayload, send } = messageKinds[queue]
  const id = toMessageId(queue, index)
  const payload = createPayload(index, id)
  let timeouts = 0
  let outcome = 'confirmed'
  let code
  try {
    await sendUntilKnown()
  } catch (error) {
    code = /** @type {{ code?: string }} */ (error).code ?? String(error)
    outcome = timeouts > 0 ? 'unknown' : 'refused'
  }
  journal.write(`${JSON.stringify({ id, queue, outcome, timeouts, code })}\n`)

  async function sendUntilKnown() {
    for (;;) {
      try {
        return await send(messageQueue, payload, id)
      } catch (error) {
        if (/** @type {{ code?: string }} */ (error).code !== 'PUBLISH_TIMEOUT') throw error
        timeouts += 1
        if (timeouts === maxTries) throw error
      }
    }
  }
}

await messageQueue.connect({ deadlineMs: 30_000 })
process.stdout.write('connected\n')
const startedAt = performance.now()
const lanes = Object.entries(counts).map(([queue, count]) => ({
  queue: /** @type {import('./messages.mjs').QueueName} */ (queue),
  count,
  sent: 0,
}))
/** @type {Promise<void>[]} */
const sends = []
while (lanes.some(({ sent, count }) => sent < count)) {
  const share = Math.min(1, (performance.now() - startedAt) / 1000 / seconds)
  for (const lane of lanes) {
    const due = Math.ceil(share * lane.count)
    while (lane.sent < due) sends.push(publish(lane.queue, lane.sent++))
  }
  await sleep(tickMs)
}
await Promise.all(sends)
journal.end()
await finished(journal)
await messageQueue.close()
