import { createHash } from 'node:crypto'

/** AMQP 0-9-1 keeps a routing key in a short string: at most 255 bytes. */
const routingKeyBytes = 255

/**
 * The routing key of a conversation's live updates on the `realtime` exchange: `chat.<tenantId>.<conversationId>`.
 *
 * In the conversation id `. * # / + %` are percent-encoded, so it is one word for topic bindings and for MQTT
 * subscribers. An id with so many of them that the key would not fit into 255 bytes becomes `%sha256-<hex>`, a form
 * that encoding never produces. Subscribers use this function too.
 */
export function realtimeRoutingKey(tenantId: number, conversationId: string): string {
  const word = conversationId.replace(/[.*#/+%]/g, toPercentEncoded)
  const routingKey = `chat.${tenantId}.${word}`
  if (Buffer.byteLength(routingKey) <= routingKeyBytes) return routingKey
  return `chat.${tenantId}.%sha256-${createHash('sha256').update(conversationId).digest('hex')}`
}

function toPercentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
