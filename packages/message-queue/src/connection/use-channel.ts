import type { Channel, ChannelModel } from 'amqplib'

/**
 * Runs something on a plain channel that is closed afterwards. An error that closes the channel rejects what waits for
 * it, so its 'error' event has nothing to add.
 */
export async function useChannel<T>(model: ChannelModel, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined)
  try {
    return await use(channel)
  } finally {
    channel.close().catch(() => undefined)
  }
}
