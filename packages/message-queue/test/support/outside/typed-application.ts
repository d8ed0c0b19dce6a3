import { type AuditEvent, type ChatMessage, examples } from '@mono/contracts'
import { createMessageQueue, type MessageQueue, messageQueue, RetryableError } from '@mono/message-queue'
import { workQueueNames } from '@mono/rascal-config'

export async function main(): Promise<string[]> {
  const event: AuditEvent = examples['audit.event']
  const { messageId } = await messageQueue.sendAuditEvent(event)
  const client: MessageQueue = createMessageQueue({ url: 'amqp://localhost' })
  await client.consumeMessages('chat.messages', async (message) => {
    const chat = message.payload as ChatMessage
    // @ts-expect-error a payload is not any
    const timestamp: string = message.payload.timestamp
    throw new RetryableError(`${chat.content} ${timestamp}`)
  })
  const stats = await messageQueue.getQueueStats()
  // @ts-expect-error neither are the statistics
  const count: string = stats['chat.messages']?.deadLetterCount
  return [messageId, count, ...workQueueNames]
}
