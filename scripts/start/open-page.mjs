// @ts-check
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Hears conversations as a page in a browser does.
 * @typedef {object} Page
 * @property {import('@mono/test-support').ExampleStage<unknown>['hear']} hear
 * @property {() => void} close
 */

const tenantId = 42
const liveLimitMs = 10_000

/**
 * @param {import('../services/realtime.mjs').Realtime} realtime
 * @param {import('@mono/test-support').ExampleStage<unknown>['query']} query
 * @returns {Page}
 */
export function openPage({ url, keyFile }, query) {
  /** @type {(() => void)[]} */
  const ends = []
  return {
    async hear(conversationId) {
      // Only here, since they are not there before the packages are built.
      const { createRealtimeToken } = await import('@mono/realtime')
      const { connectRealtime } = await import('@mono/realtime/browser')
      const key = await readFile(keyFile, 'utf8')
      const client = connectRealtime({
        url,
        getToken: async () => createRealtimeToken({ userId: 'user-1', tenantId, conversations: [conversationId], key }),
        loadAfter: (open) => Promise.all(open.map(loadConversation)),
      })
      ends.push(() => client.close())
      const after = Number((await query(lastSequence, [tenantId, conversationId]))[0]?.last_sequence ?? 0)
      /** @type {Map<string, number>} */
      const heard = new Map()
      const isLive = new Promise((resolve) => {
        client.subscribe(conversationId, {
          after,
          onMessage: ({ messageId, sequence }) => heard.set(messageId, sequence),
          onState: (state) => state === 'live' && resolve(undefined),
        })
      })
      // Whether it is or not: what it does not hear is missing in the table.
      await Promise.race([isLive, delay(liveLimitMs, undefined, { ref: false })])
      return { find: (messageId) => heard.get(messageId) }
    },
    close() {
      for (const end of ends) end()
    },
  }

  /** @param {import('@mono/realtime/browser').OpenConversation} open */
  async function loadConversation({ conversationId, after }) {
    return { conversationId, messages: await query(messagesAfter, [tenantId, conversationId, after]) }
  }
}

const lastSequence = 'SELECT last_sequence FROM chat.conversations WHERE tenant_id = $1 AND conversation_id = $2'
const messagesAfter = `
  SELECT message_id AS "messageId", sender_id AS "senderId", content, message_type AS "messageType",
    sent_at AS timestamp, sequence::int AS sequence
  FROM chat.messages WHERE tenant_id = $1 AND conversation_id = $2 AND sequence > $3 ORDER BY sequence LIMIT 100`
