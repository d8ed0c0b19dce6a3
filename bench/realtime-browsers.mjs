// @ts-check
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { createRealtimeToken } from '@mono/realtime'
import { connectRealtime } from '@mono/realtime/browser'
import { createChatMessage } from './chat-message.mjs'

// Clients as they run in browsers, many in this process, each with a connection, a user and a conversation of its own.

/** Clients that connect at a time: without a limit the first ones would run into their time limits. */
const connectingAtOnce = 25

process.on('disconnect', () => process.exit())

/** @type {(import('./realtime-processes.mjs').Means & { first: number, count: number })[]} */
const [work] = await once(process, 'message')
const { realtime, historyUrl, conversations, first, count } = /** @type {NonNullable<typeof work>} */ (work)
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
async function loadAfter(open, { signal }) {
  const response = await fetch(historyUrl, { method: 'POST', body: JSON.stringify(open), signal })
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
 * @returns {Promise<void>} resolves when it is live
 */
function openClient(index) {
  const { tenantId, conversationId } = createChatMessage(index, conversations)
  const userId = `user-${index}`
  /** @type {[string, number]} */
  const client = [conversationId, 0]
  clients.push(client)
  const connection = connectRealtime({
    url: realtime.url,
    getToken: async () =>
      createRealtimeToken({ userId, tenantId, conversations: [conversationId], ttlSeconds: 3_600, key }),
    loadAfter,
    onError: ({ code }) => countOne(errors, code),
  })
  return new Promise((resolve) => {
    connection.subscribe(conversationId, {
      after: 0,
      onMessage({ sequence, timestamp }) {
        client[1] = sequence
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
