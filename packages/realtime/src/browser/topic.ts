import { RealtimeError } from './realtime-error.js'

/** AMQP keeps a routing key in at most 255 bytes. */
const routingKeyBytes = 255

/**
 * The MQTT topic of a conversation: `chat/<tenantId>/<conversation>`, which RabbitMQ maps to the routing key
 * `chat.<tenantId>.<conversation>` of the broadcasts. The conversation id is escaped as in the routing key.
 *
 * @throws RealtimeError `UNSUPPORTED`: the id is so long that it has to be hashed, and the page cannot
 */
export async function topicOf(tenantId: number, conversationId: string): Promise<string> {
  const word = conversationId.replace(/[.*#/+%]/g, toPercentEncoded)
  const topic = `chat/${tenantId}/${word}`
  if (new TextEncoder().encode(topic).length <= routingKeyBytes) return topic
  return `chat/${tenantId}/%sha256-${await hash(conversationId)}`
}

function toPercentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

async function hash(conversationId: string): Promise<string> {
  // Missing in a page that came by http:, whatever its type says; localhost is an exception.
  const { subtle } = crypto as { subtle?: SubtleCrypto }
  if (subtle === undefined) {
    const message =
      'the conversation id is so long that its topic is a hash, which browsers compute in a secure context only; serve the page by https:'
    throw new RealtimeError('UNSUPPORTED', message, { conversationId })
  }
  const digest = await subtle.digest('SHA-256', new TextEncoder().encode(conversationId))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
