// @ts-check
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import process from 'node:process'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessageQueue } from '@mono/message-queue'
import { toMessageId, workerOf } from '../scripts/workers.mjs'

// An application, in a process of its own: sends most messages evenly over the seconds it is told, the rest when it is told
// that the fault is over, and writes down what became of each. One whose outcome is unknown it sends again with the same
// id, as the client advises. The messages of a conversation it sends one by one, each when the outcome of the last is known,
// and in bursts: several of one conversation are on their way whenever something goes wrong.

const maxTries = 5
const tickMs = 20
/** A burst to one conversation is taken from so many messages: ten of them, if twenty conversations take turns. */
const messagesOfBursts = 200

/** @type {import('./publisher.mjs').PublisherTask} */
const { url, counts, firstShare = 0.7, seconds, journalFile } = JSON.parse(process.argv[2] ?? '')
const journal = createWriteStream(journalFile)
const messageQueue = createMessageQueue({ url, connectionName: 'chaos-publisher' })

/** The last message of each conversation. @type {Map<string, Promise<void>>} */
const lastSends = new Map()

/** @param {import('../scripts/workers.mjs').QueueName} queue @param {number} index */
async function publishInTurn(queue, index) {
  const conversation = workerOf(queue).conversationOf?.(index)
  if (conversation === undefined) return await publish(queue, index)
  const last = lastSends.get(conversation)
  const sent = last ? last.then(() => publish(queue, index)) : publish(queue, index)
  lastSends.set(conversation, sent)
  await sent
}

/** @param {import('../scripts/workers.mjs').QueueName} queue @param {number} index */
async function publish(queue, index) {
  const { createPayload, send, conversationOf } = workerOf(queue)
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
  const conversation = conversationOf?.(index)
  journal.write(
    `${JSON.stringify({ id, queue, conversation, outcome, timeouts, code, sentAt, settledAt, longestMs })}\n`,
  )

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
 * The numbers of a queue's messages, in the order in which they are sent; those of a list together.
 * @param {import('../scripts/workers.mjs').QueueName} queue
 * @param {{ from: number, to: number }} part
 */
function toBursts(queue, { from, to }) {
  const { conversationOf } = workerOf(queue)
  const indexes = Array.from({ length: to - from }, (_, place) => from + place)
  if (!conversationOf) return indexes.map((index) => [index])
  /** @type {number[][]} */
  const bursts = []
  for (let start = 0; start < indexes.length; start += messagesOfBursts) {
    /** @type {Map<string, number[]>} */
    const byConversation = new Map()
    for (const index of indexes.slice(start, start + messagesOfBursts)) {
      const conversation = conversationOf(index)
      byConversation.set(conversation, [...(byConversation.get(conversation) ?? []), index])
    }
    bursts.push(...byConversation.values())
  }
  return bursts
}

/**
 * @param {(count: number) => { from: number, to: number }} toPart of each queue's messages
 * @param {number} seconds over which they are spread
 */
async function publishEvenly(toPart, seconds) {
  const startedAt = performance.now()
  const lanes = Object.entries(counts).map(([name, count]) => {
    const queue = /** @type {import('../scripts/workers.mjs').QueueName} */ (name)
    const part = toPart(count)
    return { queue, bursts: toBursts(queue, part), total: part.to - part.from, sent: 0 }
  })
  /** @type {Promise<void>[]} */
  const sends = []
  while (lanes.some(({ sent, total }) => sent < total)) {
    const share = Math.min(1, (performance.now() - startedAt) / 1000 / seconds)
    for (const lane of lanes) {
      while (lane.sent < Math.ceil(share * lane.total)) {
        const burst = lane.bursts.shift() ?? []
        sends.push(...burst.map((index) => publishInTurn(lane.queue, index)))
        lane.sent += burst.length
      }
    }
    await sleep(tickMs)
  }
  await Promise.all(sends)
}

const toMiddle = (/** @type {number} */ count) => Math.ceil(count * firstShare)

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
