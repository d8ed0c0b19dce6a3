import { deadLetterQueueName, type WorkQueueName } from '@mono/rascal-config'
import { toError } from '@mono/waiting'
import type { GetMessage } from 'amqplib'
import type { OutgoingMessage } from '../publishing/outgoing-message.js'
import type { Publisher } from '../publishing/publisher.js'
import { assertLedgerRemembers } from './assert-ledger-remembers.js'
import { type DeadLetter, toDeadLetter } from './dead-letter.js'
import { DeadLetterReader } from './dead-letter-reader.js'
import { replayHeaders } from './replay-headers.js'

export interface ReplayOptions {
  /** Which to replay. Default: all. */
  select?: ((deadLetter: DeadLetter) => boolean) | undefined
  /** At most so many. Default: all that are there at the start. */
  limit?: number | undefined
  /**
   * LEDGER_RETENTION_DAYS of the workers for pushes and mails. A dead letter of theirs that is older is not replayed, but
   * put in `failed`, because whom it has reached may be forgotten. Default: 30.
   */
  ledgerRetentionDays?: number | undefined
  /** Replays those too. Default: false. */
  force?: boolean | undefined
}

export interface ReplayResult {
  /** Published again, confirmed, and gone from the dead-letter queue. */
  replayed: number
  /** Looked at, and put back because they were not selected. */
  kept: number
  /** Put back because they could not be published again, or are older than the ledger. */
  failed: { deadLetter: DeadLetter; error: Error }[]
  /** Passed over because amqplib cannot read them; they are still there, and have to be taken out by hand. */
  unreadable: number
}

/** Where from and how patiently the dead letters are read. */
export interface ReplayConnection {
  urls: readonly string[]
  deadlineMs: number
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
 *
 * @throws QueueUnavailableError if there is no connection within the deadline
 * @throws Error if the queue does not exist, the connection is lost, or too many messages cannot be read
 */
export async function replayDeadLetters(
  publisher: Publisher,
  queue: WorkQueueName,
  options: ReplayOptions & ReplayConnection,
): Promise<ReplayResult> {
  const { deadlineMs, limit = Number.POSITIVE_INFINITY, select = () => true, urls } = options
  const { ledgerRetentionDays = 30, force = false } = options
  const result: ReplayResult = { replayed: 0, kept: 0, failed: [], unreadable: 0 }
  const reader = new DeadLetterReader({ urls, queue: deadLetterQueueName(queue), deadlineMs })

  async function replay(message: GetMessage, deadLetter: DeadLetter): Promise<void> {
    try {
      if (!force) assertLedgerRemembers(deadLetter, { ledgerRetentionDays, now: new Date() })
      await publisher.publish(toOutgoingMessage(message, deadLetter, deadlineMs))
    } catch (error) {
      result.failed.push({ deadLetter, error: toError(error) })
      return
    }
    reader.ack(message)
    result.replayed += 1
  }

  try {
    let unseen = await reader.count()
    while (unseen > reader.unreadable && result.replayed + result.failed.length < limit) {
      const room = limit - result.replayed - result.failed.length
      const messages = await reader.take(Math.min(windowSize, unseen - reader.unreadable, room))
      if (messages.length === 0) break
      unseen -= messages.length
      const letters = messages.map((message) => ({ message, deadLetter: toDeadLetter(queue, message) }))
      const selected = letters.filter(({ deadLetter }) => select(deadLetter))
      result.kept += letters.length - selected.length
      await Promise.all(selected.map(({ message, deadLetter }) => replay(message, deadLetter)))
    }
    result.unreadable = reader.unreadable
  } finally {
    await reader.close()
  }
  return result
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
  if (origin.exchange === '') {
    throw new Error(
      `Expected the exchange where it was published, found that it was put into ${origin.routingKey} by hand: ` +
        'published there again, it would fail again. Publish the body to its exchange by hand.',
    )
  }
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
