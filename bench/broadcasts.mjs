// @ts-check
import { connect } from 'amqplib'

/**
 * Hears what is broadcast of all conversations while the work is done.
 * @template T
 * @param {string} url
 * @param {(broadcast: import('amqplib').ConsumeMessage) => void} onBroadcast
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withBroadcasts(url, onBroadcast, work) {
  const connection = await connect(url)
  connection.on('error', () => {}) // nothing more is heard, which is noticed
  try {
    const channel = await connection.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'realtime', 'chat.#')
    await channel.consume(queue, (broadcast) => broadcast && onBroadcast(broadcast), { noAck: true })
    return await work()
  } finally {
    await connection.close()
  }
}
