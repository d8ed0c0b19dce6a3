// @ts-check
import { topologyOf } from '@mono/rascal-config'
import { connect } from 'amqplib'

/**
 * A message found in a queue.
 * @typedef {object} Found
 * @property {string} id
 * @property {string} [code] why it was given up
 */

/** Tells messages whose `message_id` is part of what is wrong with them. */
export const idHeader = 'x-chaos-id'

/**
 * Over a plain AMQP connection of its own.
 * @template T
 * @param {string} url
 * @param {(channel: import('amqplib').ConfirmChannel) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withChannel(url, use) {
  const connection = await connect(url, { timeout: 10_000 })
  connection.on('error', () => {}) // whoever uses it is told
  try {
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => {})
    return await use(channel)
  } finally {
    await connection.close().catch(() => {})
  }
}

/** @param {import('../scripts/workers.mjs').QueueName} queue */
export const deadLetterQueueOf = (queue) => `${queue}.dlq`

/**
 * The work queue and its retry queues.
 * @param {import('../scripts/workers.mjs').QueueName} queue
 */
export function listWaitingQueues(queue) {
  return topologyOf(queue)
    .queues.map(({ name }) => name)
    .filter((name) => name !== deadLetterQueueOf(queue))
}

/**
 * @param {string} url
 * @param {string} queue
 * @returns {Promise<{ messageCount: number, consumerCount: number }>} messages that are ready
 */
export const countQueue = (url, queue) => withChannel(url, (channel) => channel.checkQueue(queue))

/**
 * Takes all that is in a queue.
 * @param {string} url
 * @param {string} queue
 * @returns {Promise<Found[]>}
 */
export async function drainQueue(url, queue) {
  return await withChannel(url, async (channel) => {
    const { messageCount } = await channel.checkQueue(queue)
    /** @type {Found[]} */
    const found = []
    if (messageCount === 0) return found
    // Not by `get`, which a queue with a single active consumer refuses.
    await new Promise((resolve, reject) => {
      channel.once('error', reject)
      channel
        .consume(
          queue,
          (message) => {
            if (message) found.push(toFound(message))
            if (found.length === messageCount) resolve(undefined)
          },
          { noAck: true },
        )
        .catch(reject)
    })
    return found
  })
}

/**
 * @param {import('amqplib').ConsumeMessage} message
 * @returns {Found}
 */
function toFound({ properties: { messageId, headers } }) {
  const code = headers?.['x-failure-code'] ?? headers?.['x-death']?.[0]?.reason
  return { id: String(headers?.[idHeader] ?? messageId), ...(code === undefined ? {} : { code: String(code) }) }
}
