// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopology } from '@mono/rascal-config'
import { connect } from 'amqplib'
import { createChatMessage } from './chat-message.mjs'
import { withMessageQueue } from './with-message-queue.mjs'

/** @param {string} url */
export async function declareRealtime(url) {
  const connection = await connect(url)
  try {
    const channel = await connection.createChannel()
    for (const { name, type, ...options } of createTopology().exchanges) {
      if (name === 'realtime') await channel.assertExchange(name, type, options)
    }
  } finally {
    await connection.close()
  }
}

/**
 * Broadcasts at even distances, as chat-worker does. What is broadcast can be loaded before it is, as from the table.
 * @param {string} url
 * @param {import('./realtime.mjs').Load} load
 * @param {import('./realtime-history.mjs').History} history
 * @returns {Promise<number>} messages
 */
export async function broadcastSteadily(url, { conversations, rate, seconds, bytes }, history) {
  const content = 'x'.repeat(bytes)
  await withMessageQueue(url, async (messageQueue) => {
    const startedAt = performance.now()
    /** @type {Promise<void>[]} */
    const sending = []
    for (let index = 0; index < rate * seconds; index += 1) {
      await sleep(startedAt + (index * 1000) / rate - performance.now())
      const message = history.add({ ...createChatMessage(index, conversations), content })
      const sent = messageQueue.broadcastChatMessage(message)
      sent.catch(() => {}) // awaited below
      sending.push(sent)
    }
    await Promise.all(sending)
  })
  return rate * seconds
}
