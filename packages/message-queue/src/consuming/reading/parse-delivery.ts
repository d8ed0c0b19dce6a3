import { createHash } from 'node:crypto'
import { InvalidMessageError, limits, type MessageType, parsePayload, typeOfRoutingKey } from '@mono/contracts'
import { retryExchangeName, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import { header } from '../../headers.js'
import { decodeBody } from './decode-body.js'
import { notAfter } from './not-after.js'
import { type DeliveryMetadata, parseHeaders } from './parse-headers.js'
import type { ReceivedMessage } from './received-message.js'

/**
 * Turns a delivery into a message that a handler may trust.
 *
 * @param firstSeen when the delivery arrived; its age is counted from here if the publisher gave no time, or one to come
 * @throws InvalidDeliveryError `INVALID_HEADERS`, `BODY_TOO_LARGE`, `UNKNOWN_TYPE`, `INVALID_JSON`, `INVALID_MESSAGE`
 */
export function parseDelivery(
  queue: WorkQueueName,
  message: ConsumeMessage,
  headers: Readonly<Record<string, unknown>>,
  firstSeen: Date,
): ReceivedMessage {
  const metadata = parseHeaders(queue, message, headers)
  assertBodySize(message.content)
  const type = parseType(queue, metadata.routingKey, message.properties.type)
  const payload = parseBody(type, message)
  if (metadata.tenantId !== undefined && metadata.tenantId !== payload.tenantId) {
    throw new InvalidDeliveryError('INVALID_HEADERS', `${header.tenantId}: contradicts the tenantId of the body`)
  }
  const { progressAt, resumeAt } = metadata
  const replayedAt = metadata.replay && notAfter(firstSeen, metadata.replay.at)
  const givenId = 'messageId' in payload ? payload.messageId : metadata.messageId
  const returns = message.fields.exchange === retryExchangeName(queue)
  const isFirst = !message.fields.redelivered && !metadata.replay && !returns
  return {
    payload,
    // A getter, because few ask for it, and a large text beside each large body would cost as much memory again.
    get bodyText() {
      return message.content.toString('utf8')
    },
    type,
    messageId: givenId ?? deriveMessageId(metadata, message),
    ...(givenId === undefined && { derivedId: isFirst ? 'first' : 'again' }),
    tenantId: payload.tenantId,
    routingKey: metadata.routingKey,
    // A replay begins a new life: what had expired would else expire again at once.
    publishedAt: metadata.replay?.isMoved ? firstSeen : (replayedAt ?? notAfter(firstSeen, metadata.publishedAt)),
    ...(replayedAt && { replayedAt }),
    ...(progressAt && { progressAt: notAfter(firstSeen, progressAt) }),
    ...(resumeAt !== undefined && { resumeAt }),
    attempt: metadata.attempts + 1,
    redelivered: message.fields.redelivered,
    headers,
  } as ReceivedMessage
}

function assertBodySize(body: Buffer): void {
  if (body.length <= limits.bodyBytes) return
  throw new InvalidDeliveryError(
    'BODY_TOO_LARGE',
    `body: expected at most ${limits.bodyBytes} bytes, found ${body.length}`,
  )
}

function parseType(queue: WorkQueueName, routingKey: string, stated: unknown): MessageType {
  const type = typeOfRoutingKey(routingKey)
  if (type === undefined || !workQueues[queue].messageTypes.includes(type)) {
    throw new InvalidDeliveryError('UNKNOWN_TYPE', `routing key: no message type of ${queue} has this key`)
  }
  if (stated === undefined || stated === '' || stated === type) return type
  throw new InvalidDeliveryError('UNKNOWN_TYPE', `type: expected ${type}, as the routing key ${routingKey} says`)
}

function parseBody(type: MessageType, message: ConsumeMessage) {
  try {
    return parsePayload(type, parseJson(message))
  } catch (error) {
    if (error instanceof InvalidMessageError) {
      throw new InvalidDeliveryError('INVALID_MESSAGE', error.message, { cause: error })
    }
    throw error
  }
}

function parseJson({ content, properties }: ConsumeMessage): unknown {
  const decoded = decodeBody(content)
  const stated = describeContentType(properties.contentType)
  if ('found' in decoded) {
    throw new InvalidDeliveryError('INVALID_JSON', `body: expected JSON in UTF-8, found ${decoded.found}${stated}`)
  }
  try {
    return JSON.parse(decoded.text)
  } catch {
    // The parser's own message quotes the body, which must not end up in logs.
    throw new InvalidDeliveryError('INVALID_JSON', `body: expected JSON, found text that does not parse${stated}`)
  }
}

/** Whatever parses is taken, since many tools send JSON as text; of what does not parse, another type is the reason. */
function describeContentType(contentType: unknown): string {
  if (typeof contentType !== 'string' || !/^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(contentType)) return ''
  return /json$/i.test(contentType) ? '' : ` (content_type is ${contentType})`
}

/**
 * The identity of a message whose publisher gave it none. It must not depend on anything that a redelivery or a retry
 * changes; so equal messages with equal timestamps are one message.
 */
function deriveMessageId(metadata: DeliveryMetadata, message: ConsumeMessage): string {
  const hash = createHash('sha256')
  for (const part of [metadata.exchange, metadata.routingKey, String(message.properties.timestamp ?? '')]) {
    hash.update(part).update('\0')
  }
  return `sha256:${hash.update(message.content).digest('hex')}`
}
