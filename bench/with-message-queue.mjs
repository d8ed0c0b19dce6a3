// @ts-check
import { createMessageQueue } from '@mono/message-queue'

/**
 * Gives the work a client of its own, with the defaults, as an application has it.
 * @param {string} url
 * @param {(messageQueue: import('@mono/message-queue').MessageQueue) => Promise<unknown>} work
 */
export async function withMessageQueue(url, work) {
  const messageQueue = createMessageQueue({ url })
  try {
    await work(messageQueue)
  } finally {
    await messageQueue.close()
  }
}
