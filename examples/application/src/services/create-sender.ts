import { InvalidMessageError, MessageQueueError, type MessageType, parsePayload } from '@mono/contracts'
import type { MessageQueue } from '@mono/message-queue'
import type { Failure, OutboxMessage } from '../outbox/index.js'

type Publish = (queue: MessageQueue, json: unknown, messageId: string) => Promise<unknown>

const publishByType: Record<MessageType, Publish> = {
  // Its id is its own.
  'chat.message': (queue, json) => queue.sendChatMessage(parsePayload('chat.message', json)),
  'push.notification': (queue, json, messageId) =>
    queue.sendPushNotification(parsePayload('push.notification', json), { messageId }),
  'email.notification': (queue, json, messageId) =>
    queue.sendEmailNotification(parsePayload('email.notification', json), { messageId }),
  'email.message': (queue, json, messageId) =>
    queue.sendEmailMessage(parsePayload('email.message', json), { messageId }),
  'audit.event': (queue, json, messageId) => queue.sendAuditEvent(parsePayload('audit.event', json), { messageId }),
}

/** How the outbox sends, by the client. */
export function createSender(messageQueue: MessageQueue) {
  return {
    async send({ type, body, messageId }: OutboxMessage): Promise<void> {
      await publishByType[type as MessageType](messageQueue, JSON.parse(body), messageId)
    },
    findFailure,
  }
}

/**
 * What is wrong with the message is wrong tomorrow; so is a right that the broker's user lacks. What the broker cannot
 * take now, or what may have arrived, is sent again: a queue that is full or not yet there, an answer that did not come.
 * An error that is none of the client's is a fault of this program that this message brings out.
 */
function findFailure(error: unknown): Failure | undefined {
  if (!(error instanceof MessageQueueError)) return { code: 'UNCLASSIFIED', reason: String(error) }
  const isForGood = error instanceof InvalidMessageError || error.code === 'PUBLISH_FORBIDDEN'
  return isForGood ? { code: error.code, reason: error.message } : undefined
}
