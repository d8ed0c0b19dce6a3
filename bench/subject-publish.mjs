// @ts-check
import { createMessageQueue } from '@mono/message-queue'
import { createEvent } from './event.mjs'

/** The client with its defaults, as an application uses it. @param {string} url */
export async function openPublisher(url) {
  const messageQueue = createMessageQueue({ url })
  await messageQueue.connect()

  /** @param {number} count @param {number} inFlight */
  async function publishAll(count, inFlight) {
    let left = count
    const publishInTurn = async () => {
      while (left-- > 0) await messageQueue.sendAuditEvent(createEvent())
    }
    await Promise.all(Array.from({ length: inFlight }, publishInTurn))
  }

  return { publishAll, close: () => messageQueue.close() }
}
