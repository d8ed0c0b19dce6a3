// @ts-check
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { conversations, createPayload } from '../../apps/chat-worker/test/description.mjs'
import { waitUntilReady } from '../services/wait-until-ready.mjs'

const { tenantId } = createPayload(0, '')
const conversationIds = Array.from({ length: conversations }, (_, index) => createPayload(index, '').conversationId)

const messagesAfter = `
  SELECT asked.id AS "conversationId", message_id AS "messageId", sender_id AS "senderId", content,
    message_type AS "messageType", sent_at AS timestamp, sequence::int
  FROM unnest($2::text[], $3::bigint[]) AS asked (id, after)
  CROSS JOIN LATERAL (
    SELECT * FROM chat.messages
    WHERE tenant_id = $1 AND conversation_id = asked.id AND sequence > asked.after ORDER BY sequence LIMIT 200
  ) later
  ORDER BY sequence`

/** @typedef {import('@mono/realtime/browser').ConversationState} State */

/**
 * The client of a page that has all conversations of the traffic open.
 * @typedef {object} ListeningPage
 * @property {(since: number) => string} describeSince what has become of its connection, of `performance.now()`
 * @property {(timeoutMs: number) => Promise<string | undefined>} untilAll waits until it has heard whatever is stored;
 *   then what it has not
 * @property {string[]} faults messages that it was handed twice or out of order
 * @property {() => number} countHeard
 * @property {() => void} close
 */

/**
 * Opens the client at all nodes of a cluster, and waits until it hears everything.
 * @param {import('./test-fleet.mjs').TestFleet} testFleet
 * @returns {Promise<ListeningPage>}
 */
export async function openListeningPage({ fleet, ports, directory, sources }) {
  // Only here, since they need the dependencies and the build.
  const { createRealtimeToken } = await import('@mono/realtime')
  const { connectRealtime } = await import('@mono/realtime/browser')
  const keyFile = join(directory, 'realtime-key.pem')
  await fleet.compose('cp', 'rabbitmq:/var/lib/realtime/key.pem', keyFile)
  const key = await readFile(keyFile, 'utf8')

  const { REALTIME_PORT, REALTIME_PORT_2, REALTIME_PORT_3 } = ports
  const realtime = connectRealtime({
    url: [REALTIME_PORT, REALTIME_PORT_2, REALTIME_PORT_3].map((port) => `ws://127.0.0.1:${port}/ws`),
    getToken: async () => createRealtimeToken({ userId: 'user-1', tenantId, conversations: conversationIds, key }),
    async loadAfter(open) {
      const ids = open.map(({ conversationId }) => conversationId)
      const rows = await sources.query(messagesAfter, [tenantId, ids, open.map(({ after }) => after)])
      return ids.map((conversationId) => ({
        conversationId,
        messages: rows.filter((row) => row.conversationId === conversationId),
      }))
    },
    onError: () => {}, // the nodes are killed on purpose
  })

  /** @type {Map<string, number>} the sequence of the last message, by conversation */
  const last = new Map()
  /** @type {Map<string, State>} by conversation */
  const states = new Map()
  /** @type {{ at: number, state: State }[]} of the page as a whole */
  const changes = []
  const count = (/** @type {State} */ state) => [...states.values()].filter((each) => each === state).length
  /** @type {string[]} */
  const faults = []
  for (const conversationId of conversationIds) {
    realtime.subscribe(conversationId, {
      after: 0,
      onMessage({ sequence }) {
        const before = last.get(conversationId) ?? 0
        if (sequence !== before + 1) faults.push(`the page got ${sequence} of ${conversationId} after ${before}`)
        last.set(conversationId, sequence)
      },
      onState(state) {
        states.set(conversationId, state)
        const open = count('live') === conversations ? 'live' : 'catching-up'
        changes.push({ at: performance.now(), state: count('offline') > 0 ? 'offline' : open })
      },
    })
  }
  const notLive = await waitUntilReady(
    async () => {
      const live = count('live')
      return live === conversations ? undefined : `${live} of ${conversations} conversations are live`
    },
    { timeoutMs: 30_000 },
  )
  if (notLive !== undefined) throw new Error(`The page does not hear all: ${notLive}`)

  return {
    faults,
    describeSince(since) {
      const later = changes.filter(({ at }) => at >= since)
      const [first] = later.filter(({ state }) => state !== 'live')
      const last = later.at(-1)
      if (first === undefined || last === undefined) return 'live without a break'
      const what = later.some(({ state }) => state === 'offline') ? 'lost its node' : 'missed a broadcast'
      const end = last.state === 'live' ? `live again after ${seconds(last.at - since)} s` : `still ${last.state}`
      return `${what} after ${seconds(first.at - since)} s, ${end}`
    },
    untilAll: (timeoutMs) =>
      waitUntilReady(
        async () => {
          const rows = await sources.query(
            'SELECT conversation_id, last_sequence::int FROM chat.conversations WHERE tenant_id = $1',
            [tenantId],
          )
          const behind = rows.filter((row) => last.get(row.conversation_id) !== row.last_sequence)
          return behind.length === 0 ? undefined : `${behind.length} conversations of the page are behind`
        },
        { timeoutMs },
      ),
    countHeard: () => [...last.values()].reduce((sum, count) => sum + count, 0),
    close: () => realtime.close(),
  }
}

const seconds = (/** @type {number} */ ms) => (ms / 1000).toFixed(1)
