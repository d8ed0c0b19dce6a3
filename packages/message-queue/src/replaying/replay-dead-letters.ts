import { deadLetterQueueName, type WorkQueueName } from '@mono/rascal-config'
import { toError } from '@mono/waiting'
import type { Channel, GetMessage } from 'amqplib'
import type { OutgoingMessage } from '../publishing/outgoing-message.js'
import type { Publisher } from '../publishing/publisher.js'
import { type DeadLetter, toDeadLetter } from './dead-letter.js'
import { replayHeaders } from './replay-headers.js'

export interface ReplayOptions {
  /** Which to replay. Default: all. */
  select?: ((deadLetter: DeadLetter) => boolean) | undefined
  /** At most so many. Default: all that are there at the start. */
  limit?: number | undefined
}

export interface ReplayResult {
  /** Published again, confirmed, and gone from the dead-letter queue. */
  replayed: number
  /** Looked at, and put back because they were not selected. */
  kept: number
  /** Put back because they could not be published again. */
  failed: { deadLetter: DeadLetter; error: Error }[]
}

/**
 * This many are taken from the queue and on their way at a time: no more acks than a channel of RabbitMQ passes on to a
 * quorum queue at once. Those that it keeps for later it forgets when it is closed.
 */
const windowSize = 32

/**
 * Publishes dead letters where they were published first, and takes each from the dead-letter queue when the broker has
 * confirmed the copy: a crash between the two leaves two of a message, never none.
 *
 * Those that fail again come back to the queue's end, so only as many as were there at the start are looked at. What is
 * to stay is held un-acked until the end, because it would else be at the head again at once.
 */
export async function replayDeadLetters(
  publisher: Publisher,
  queue: WorkQueueName,
  { deadlineMs, select = () => true, limit = Number.POSITIVE_INFINITY }: ReplayOptions & { deadlineMs: number },
): Promise<ReplayResult> {
  const deadLetterQueue = deadLetterQueueName(queue)
  const result: ReplayResult = { replayed: 0, kept: 0, failed: [] }

  async function replay(channel: Channel, message: GetMessage, deadLetter: DeadLetter): Promise<void> {
    try {
      await publisher.publish(toOutgoingMessage(message, deadLetter, deadlineMs))
    } catch (error) {
      result.failed.push({ deadLetter, error: toError(error) })
      return
    }
    channel.ack(message)
    result.replayed += 1
  }

  await publisher.withChannel(
    async (channel) => {
      let unseen = (await channel.checkQueue(deadLetterQueue)).messageCount
      while (unseen > 0 && result.replayed + result.failed.length < limit) {
        const room = limit - result.replayed - result.failed.length
        const messages = await take(channel, deadLetterQueue, Math.min(windowSize, unseen, room))
        if (messages.length === 0) break
        unseen -= messages.length
        const letters = messages.map((message) => ({ message, deadLetter: toDeadLetter(queue, message) }))
        const selected = letters.filter(({ deadLetter }) => select(deadLetter))
        result.kept += letters.length - selected.length
        await Promise.all(selected.map(({ message, deadLetter }) => replay(channel, message, deadLetter)))
      }
      // The end of the channel would do the same, but only when the broker has noticed it.
      channel.nackAll(true)
    },
    { deadlineMs: Number.POSITIVE_INFINITY },
  )
  return result
}

async function take(channel: Channel, queue: string, count: number): Promise<GetMessage[]> {
  const messages: GetMessage[] = []
  while (messages.length < count) {
    const message = await channel.get(queue)
    if (!message) break
    messages.push(message)
  }
  return messages
}

/** @throws Error if nothing tells where the message was published */
function toOutgoingMessage(
  { content, properties }: GetMessage,
  { queue, origin, headers }: DeadLetter,
  deadlineMs: number,
): OutgoingMessage {
  if (origin === undefined) {
    throw new Error(
      `Expected x-original-exchange and x-original-routing-key, or an entry for ${queue} in x-death, found neither. ` +
        'Publish the body to its exchange by hand.',
    )
  }
  const { messageId, type, contentType, contentEncoding, correlationId, replyTo, appId, timestamp, priority } =
    properties
  return {
    ...origin,
    body: content,
    properties: {
      messageId,
      type,
      contentType,
      contentEncoding,
      correlationId,
      replyTo,
      appId,
      timestamp,
      priority,
      headers: replayHeaders(headers, new Date()),
    },
    mandatory: true,
    persistent: true,
    deadlineMs,
  }
}
