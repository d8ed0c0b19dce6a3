import { type MessageQueue, QueueFullError } from '@mono/message-queue'

export interface Broadcaster extends Pick<MessageQueue, 'broadcastChatMessage'> {
  /** How many broadcasts somebody's queue has refused. */
  readonly refused: number
}

/**
 * Tells whoever listens. A nack comes from a listener's queue, which is full or was deleted at that moment; the exchange
 * refuses nothing (https://www.rabbitmq.com/docs/confirms#server-sent-nacks). All others have the message, and the numbers
 * tell that one what is missing, so the broadcast is done: otherwise a listener could hold up conversations.
 */
export function createBroadcaster(messageQueue: Pick<MessageQueue, 'broadcastChatMessage'>): Broadcaster {
  let refused = 0
  return {
    get refused() {
      return refused
    },
    async broadcastChatMessage(message, options) {
      try {
        await messageQueue.broadcastChatMessage(message, options)
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error
        refused += 1
      }
    },
  }
}
