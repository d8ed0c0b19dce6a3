// @ts-check
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { createRealtimeToken } from '@mono/realtime'
import { connectRealtime } from '@mono/realtime/browser'
import { createChatMessage, tenants } from './chat-message.mjs'

// Clients as they run in browsers, many in this process, each with a connection and a user of its own.

/** Clients that connect at a time: without a limit the first ones would run into their time limits. */
const connectingAtOnce = 25

process.on('disconnect', () => process.exit())

/** @type {(import('./realtime-processes.mjs').Means & { first: number, count: number })[]} */
const [work] = await once(process, 'message')
const { realtime, historyUrl, conversations, open, first, count } = /** @type {NonNullable<typeof work>} */ (work)
const key = createPrivateKey(readFileSync(realtime.keyFile))

/** @type {[conversationId: string, last: number][]} */
const clients = []
/** @type {Map<number, number>} */
const latencies = new Map()
/** @type {Map<string, number>} */
const errors = new Map()
let received = 0
let filled = 0

/** @type {import('@mono/realtime/browser').LoadAfter} */
async function loadAfter(asked, { signal }) {
  const response = await fetch(historyUrl, { method: 'POST', body: JSON.stringify(asked), signal })
  const answer = /** @type {import('@mono/realtime/browser').LoadedConversation[]} */ (await response.json())
  filled += answer.reduce((total, { messages }) => total + messages.length, 0)
  return answer
}

/**
 * @template Key
 * @param {Map<Key, number>} counts
 * @param {Key} counted
 */
const countOne = (counts, counted) => counts.set(counted, (counts.get(counted) ?? 0) + 1)

/**
 * @param {number} index
 * @returns {Promise<unknown>} resolves when all its conversations are live
 */
async function openClient(index) {
  const { tenantId } = createChatMessage(index, conversations)
  const mine = Array.from({ length: open }, (_, place) => createChatMessage(index + place * tenants, conversations))
  const ids = [...new Set(mine.map(({ conversationId }) => conversationId))]
  const connection = connectRealtime({
    url: realtime.url,
    getToken: async () =>
      createRealtimeToken({ userId: `user-${index}`, tenantId, conversations: ids, ttlSeconds: 3_600, key }),
    loadAfter,
    onError: ({ code }) => countOne(errors, code),
  })
  return await Promise.all(ids.map((conversationId) => hear(connection, conversationId)))
}

/**
 * @param {import('@mono/realtime/browser').Realtime} connection
 * @param {string} conversationId
 * @returns {Promise<void>} resolves when it is live
 */
function hear(connection, conversationId) {
  /** @type {[string, number]} */
  const heard = [conversationId, 0]
  clients.push(heard)
  return new Promise((resolve) => {
    connection.subscribe(conversationId, {
      after: 0,
      onMessage({ sequence, timestamp }) {
        heard[1] = sequence
        received += 1
        countOne(latencies, Date.now() - timestamp.getTime())
      },
      onState: (state) => state === 'live' && resolve(),
    })
  })
}

let next = first
async function openSome() {
  while (next < first + count) {
    next += 1
    await openClient(next - 1)
  }
}
await Promise.all(Array.from({ length: connectingAtOnce }, openSome))
process.send?.('ready')
process.on('message', () => {
  process.send?.({ clients, count: received, filled, latencies: [...latencies], errors: [...errors] })
})
