import { MessageQueue } from './message-queue.js'
import { resolveMessageQueueOptions } from './message-queue-options.js'

/**
 * The client for an application that has one broker, configured by `RABBITMQ_URL` (several addresses separated by
 * commas), which is read at the first use. It connects at the first send or by `connect()`.
 */
export const messageQueue = new MessageQueue(() => resolveMessageQueueOptions({ url: readUrls() }))

function readUrls(): string[] {
  // biome-ignore lint/style/noProcessEnv: the one place of this package that reads the environment
  const value = process.env.RABBITMQ_URL
  if (!value) {
    throw new Error(
      'RABBITMQ_URL: expected amqp://user:password@host:port/vhost, found nothing; set it, or use createMessageQueue.',
    )
  }
  return value.split(',').map((url) => url.trim())
}
