// @ts-check
import { setTimeout as delay } from 'node:timers/promises'

/** One of the example's users, and a conversation that she is in. */
const user = { tenantId: 1, userId: 'ada' }
const conversationId = 'lunch'
const liveLimitMs = 10_000

/**
 * Speaks to the example application as its page does. What is not answered with success is an error.
 * @typedef {(method: string, path: string, body?: unknown) => Promise<any>} Call
 */

/**
 * Logs in.
 * @param {string} url of the application
 * @returns {Promise<Call>}
 */
export async function logIn(url) {
  const response = await answerOf(url, '/session', { method: 'POST', body: JSON.stringify(user) })
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { csrfToken } = /** @type {any} */ (await response.json())
  return async (method, path, body) => {
    const headers = { cookie, 'x-csrf-token': csrfToken }
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const answer = await answerOf(url, path, init)
    const isJson = answer.headers.get('content-type')?.includes('json')
    return isJson ? await answer.json() : await answer.text()
  }
}

/**
 * @param {string} url
 * @param {string} path
 * @param {RequestInit} init
 */
async function answerOf(url, path, init) {
  const response = await fetch(`${url}${path}`, init)
  if (!response.ok) throw new Error(`the application's ${path}: ${response.status} ${await response.text()}`)
  return response
}

/**
 * Hears the conversation live, where the application says that browsers do.
 * @param {Call} call
 * @param {number} after sequence of the last message before
 */
async function hear(call, after) {
  // Only here, since it is not there before the packages are built.
  const { connectRealtime } = await import('@mono/realtime/browser')
  const { realtimeUrls } = await call('GET', '/site')
  const client = connectRealtime({
    url: realtimeUrls,
    getToken: () => call('POST', '/realtime-token'),
    loadAfter: (open) => call('POST', '/messages-after', open),
  })
  /** @type {Map<string, number>} */
  const heard = new Map()
  let isLive = false
  const live = new Promise((resolve) => {
    client.subscribe(conversationId, {
      after,
      // A message that is loaded while the page is not live was not heard.
      onMessage: ({ messageId, sequence }) => isLive && heard.set(messageId, sequence),
      onState(state) {
        isLive = state === 'live'
        if (isLive) resolve(undefined)
      },
    })
  })
  await Promise.race([live, delay(liveLimitMs, undefined, { ref: false })])
  return { heard, close: () => client.close() }
}

/**
 * Writes a chat message in the example application, and sees it on a page and in the audit trail, all as a browser would.
 * @param {string} url of the application
 * @returns {ReturnType<import('../workers.mjs').WorkerDescription['sendExample']>}
 */
export async function visitApplication(url) {
  const call = await logIn(url)
  const conversations = await call('GET', '/conversations')
  const before = conversations.find((/** @type {any} */ each) => each.conversationId === conversationId)
  const page = await hear(call, before.lastSequence)
  const path = `/conversations/${conversationId}/messages`
  const { messageId } = await call('POST', path, { content: 'Hello from npm start' }).catch((error) => {
    page.close()
    throw error
  })
  return {
    sent: `chat message ${messageId}`,
    effects: [
      {
        where: 'a page of it, live',
        async read() {
          const sequence = page.heard.get(messageId)
          return sequence && `heard as number ${sequence} of ${conversationId}`
        },
      },
      {
        where: 'its routes',
        async read() {
          const { messages } = await call('GET', `${path}?after=${before.lastSequence}`)
          const stored = messages.find((/** @type {any} */ message) => message.messageId === messageId)
          return stored && `stored as number ${stored.sequence} of ${conversationId}`
        },
      },
      {
        where: 'its audit trail',
        async read() {
          const events = await call('GET', '/audit-events')
          const recorded = events.find((/** @type {any} */ { changes }) => changes?.includes(messageId))
          return recorded && `${recorded.eventType} by ${recorded.userId}`
        },
      },
    ],
    end: async () => page.close(),
  }
}
