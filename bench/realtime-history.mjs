// @ts-check
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

/**
 * The messages that were sent in each conversation, as the application's server has it.
 * @typedef {object} History
 * @property {string} url where clients ask what comes after the last message that they have
 * @property {(message: import('@mono/contracts').ChatMessage) => import('@mono/contracts').StoredChatMessage} add
 * @property {(conversationId: string) => number} count
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<History>} */
export async function createHistory() {
  /** @type {Map<string, import('@mono/contracts').StoredChatMessage[]>} */
  const stored = new Map()
  const messagesOf = (/** @type {string} */ conversationId) => stored.get(conversationId) ?? []
  const server = createServer(async (request, response) => {
    const open = /** @type {{ conversationId: string, after: number }[]} */ (await json(request))
    const answer = open.map(({ conversationId, after }) => ({
      conversationId,
      messages: messagesOf(conversationId).slice(after, after + 200),
    }))
    response.end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${port}`,
    add(message) {
      const messages = messagesOf(message.conversationId)
      const numbered = { ...message, sequence: messages.length + 1 }
      messages.push(numbered)
      stored.set(message.conversationId, messages)
      return numbered
    },
    count: (conversationId) => messagesOf(conversationId).length,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
