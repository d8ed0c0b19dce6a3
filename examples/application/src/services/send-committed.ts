import { InvalidMessageError, MessageQueueError, parsePayload } from '@mono/contracts'
import type { MessageQueue } from '@mono/message-queue'
import type { Failure, OutboxMessage } from '../outbox/index.js'

/** Sends what `createMessageQueueService` has put into the outbox, by the client, under the id that it has there. */
export async function sendCommitted(
  queue: MessageQueue,
  { type, body, messageId }: OutboxMessage,
): Promise<{ messageId: string }> {
  const json: unknown = JSON.parse(body)
  switch (type) {
    case 'chat.message':
      // Its id is its own.
      return await queue.sendChatMessage(parsePayload(type, json))
    case 'push.notification':
      return await queue.sendPushNotification(parsePayload(type, json), { messageId })
    case 'email.notification':
      return await queue.sendEmailNotification(parsePayload(type, json), { messageId })
    case 'audit.event':
      return await queue.sendAuditEvent(parsePayload(type, json), { messageId })
    default:
      throw new TypeError(`No message of this application has the type ${type}`)
  }
}

/**
 * A fault of the message is there tomorrow too; so is a right that the broker's user lacks. A message that the broker cannot
 * take now is sent again, and so is one that may have arrived: a queue is full or not yet there, an answer did not come.
 * An error that is none of the client's is a fault of this program that this message brings out.
 */
export function findFailure(error: unknown): Failure | undefined {
  if (!(error instanceof MessageQueueError)) return { code: 'UNCLASSIFIED', reason: String(error) }
  const isForGood = error instanceof InvalidMessageError || error.code === 'PUBLISH_FORBIDDEN'
  return isForGood ? { code: error.code, reason: error.message } : undefined
}
