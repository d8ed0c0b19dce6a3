// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'

const pauseMs = 200

/**
 * The broadcasts that one subscription has heard.
 * @typedef {object} Hearing
 * @property {number} since what is broadcast from then on is heard, in milliseconds since 1970
 * @property {Set<string>} ids of messages, in the order in which they were heard first
 *
 * @typedef {object} Listener
 * @property {Hearing[]} hearings its subscriptions, in order
 * @property {() => Promise<void>} close
 */

/**
 * Listens to all broadcasts of chat messages. A subscription ends with its connection, and what is broadcast until the next
 * is not heard. Resolves when the first one is there.
 * @param {string} url
 * @returns {Promise<Listener>}
 */
export async function openListener(url) {
  /** @type {Hearing[]} */
  const hearings = []
  let closed = false
  /** @type {import('amqplib').ChannelModel | undefined} */
  let connection

  async function subscribe() {
    const opened = await connect(url, { timeout: 10_000 })
    connection = opened
    opened.on('error', () => {}) // it is closed then
    // Not by `once` of node:events, which rejects at an error.
    const ended = new Promise((resolve) => opened.once('close', resolve))
    try {
      const channel = await opened.createChannel()
      channel.on('error', () => {})
      const { queue } = await channel.assertQueue('', { exclusive: true })
      await channel.bindQueue(queue, 'realtime', 'chat.#')
      /** @type {Set<string>} */
      const ids = new Set()
      await channel.consume(queue, (message) => void ids.add(String(message?.properties.messageId)), { noAck: true })
      hearings.push({ since: Date.now(), ids })
    } catch (error) {
      await opened.close().catch(() => {})
      throw error
    }
    return { ended }
  }
  /** @param {{ ended: Promise<unknown> }} first */
  async function goOnListening(first) {
    await first.ended
    while (!closed) {
      await sleep(pauseMs)
      const next = await subscribe().catch(() => undefined) // the broker is away
      if (closed) await connection?.close().catch(() => {})
      await next?.ended
    }
  }

  const listening = goOnListening(await subscribe())
  return {
    hearings,
    async close() {
      closed = true
      await connection?.close().catch(() => {})
      await listening
    },
  }
}
