// @ts-check
import { createChatLatencyComparison } from './chat-latency.mjs'
import { createChatMessage } from './chat-message.mjs'
import { chatReference, chatWorker } from './chat-processes.mjs'
import { inGroups } from './in-groups.mjs'
import { createRecordingComparison } from './recording.mjs'
import { withMessageQueue } from './with-message-queue.mjs'

const count = 40_000
/** The client has no more than this in flight; more would only come closer to its deadline. */
const publishedAtOnce = 1_000

/**
 * Stores chat messages, in many conversations and in one, and broadcasts them, which nobody hears; then measures how long
 * a message takes to those who listen.
 * @param {import('./recording.mjs').RecordingMeans} means
 * @param {object} options
 * @param {import('./push.mjs').Compare} options.compare
 * @param {(comparison: import('./compare-latency.mjs').LatencyComparison) => Promise<void>} options.compareLatency
 * @returns {Promise<boolean>}
 */
export async function compareChat(means, { compare, compareLatency }) {
  const held = [
    await compare(createComparison(means, { conversations: 1_000, bar: 0.6 })),
    await compare(createComparison(means, { conversations: 1, bar: 0.6 })),
  ]
  await compareLatency(createChatLatencyComparison(means))
  return !held.includes(false)
}

/**
 * @param {import('./recording.mjs').RecordingMeans} means
 * @param {{ conversations: number, bar: number }} options
 */
function createComparison(means, { conversations, bar }) {
  return createRecordingComparison(
    {
      title: `chat: chat-worker against plain amqplib and pg, ${describe(conversations)}, without a subscriber`,
      bar,
      count,
      queue: 'chat.messages',
      table: { name: 'chat.messages', id: 'message_id', at: 'stored_at' },
      emptied: 'chat.conversations',
      publish: (url) => publish(url, conversations),
      worker: chatWorker,
      reference: chatReference(means),
      check: () => assertNumbered(means.database, conversations),
    },
    means,
  )
}

/** @param {number} conversations */
function describe(conversations) {
  const messages = `${count.toLocaleString('en')} messages`
  return `${messages} in ${conversations.toLocaleString('en')} ${conversations === 1 ? 'conversation' : 'conversations'}`
}

/**
 * @param {string} url
 * @param {number} conversations
 */
async function publish(url, conversations) {
  const indexes = Array.from({ length: count }, (_, index) => index)
  await withMessageQueue(url, async (messageQueue) => {
    for (const group of inGroups(indexes, publishedAtOnce)) {
      await Promise.all(group.map((index) => messageQueue.sendChatMessage(createChatMessage(index, conversations))))
    }
  })
}

/**
 * Ids and sequences are unique by the table's keys, so that a conversation whose last sequence is the number of its
 * messages has no gap.
 * @param {import('./database.mjs').BenchDatabase} database
 * @param {number} expected
 */
async function assertNumbered(database, expected) {
  const { found, faulty } = await database.queryRow(`
    SELECT count(*)::int AS found, (count(*) FILTER (WHERE first <> 1 OR last <> messages OR last <> last_sequence))::int AS faulty
    FROM chat.conversations JOIN (
      SELECT tenant_id, conversation_id, count(*) AS messages, min(sequence) AS first, max(sequence) AS last
      FROM chat.messages GROUP BY tenant_id, conversation_id
    ) AS stored USING (tenant_id, conversation_id)`)
  if (found === expected && faulty === 0) return
  throw new Error(`Expected ${expected} conversations without a gap, found ${found}, of them ${faulty} with one.`)
}
