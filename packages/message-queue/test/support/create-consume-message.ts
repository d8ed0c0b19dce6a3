import { examples, type MessageType } from '@mono/contracts'
import type { ConsumeMessage } from 'amqplib'

export interface ConsumeMessageParts {
  exchange?: string
  routingKey?: string
  redelivered?: boolean
  /** Default 1. */
  deliveryTag?: number
  /** An object is written as JSON. */
  body?: Buffer | string | object
  /** AMQP properties, `headers` among them. */
  properties?: Record<string, unknown>
}

/** A message as amqplib hands it to a consumer; by default a push notification of a plain client that sets nothing but a body. */
export function createConsumeMessage({
  exchange = 'notifications',
  routingKey = 'push.web',
  redelivered = false,
  deliveryTag = 1,
  body = examples['push.notification'],
  properties = {},
}: ConsumeMessageParts = {}): ConsumeMessage {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const message = {
    content: Buffer.isBuffer(body) ? body : Buffer.from(text),
    fields: { consumerTag: 'consumer', deliveryTag, exchange, routingKey, redelivered },
    properties: { headers: {}, ...properties },
  }
  return message as unknown as ConsumeMessage
}

/** Where a message of each type is published, and its example as a body. */
export const published: { [T in MessageType]: { exchange: string; routingKey: string; body: object } } = {
  'chat.message': { exchange: 'messages', routingKey: 'chat.direct', body: examples['chat.message'] },
  'push.notification': { exchange: 'notifications', routingKey: 'push.all', body: examples['push.notification'] },
  'email.notification': {
    exchange: 'notifications',
    routingKey: 'email.template',
    body: examples['email.notification'],
  },
  'email.message': { exchange: 'notifications', routingKey: 'email.send', body: examples['email.message'] },
  'audit.event': { exchange: 'audit', routingKey: 'audit.track', body: examples['audit.event'] },
}
