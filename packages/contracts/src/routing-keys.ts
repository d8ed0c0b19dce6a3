import type { MessageType } from './catalog.js'

/** The routing keys under which each message is published. A routing key belongs to one message type. */
export const routingKeysByType = {
  'chat.message': ['chat.direct', 'chat.group'],
  'push.notification': ['push.mobile', 'push.web', 'push.all'],
  'email.notification': ['email.template'],
  'email.message': ['email.send'],
  'audit.event': ['audit.track', 'audit.compliance'],
} as const satisfies Record<MessageType, readonly string[]>

/** A routing key under which messages of this type are published. */
export type RoutingKeyOf<T extends MessageType> = (typeof routingKeysByType)[T][number]

const typesByRoutingKey = new Map<string, MessageType>(
  (Object.keys(routingKeysByType) as MessageType[]).flatMap((type) =>
    routingKeysByType[type].map((routingKey) => [routingKey, type] as const),
  ),
)

/** The message type published under a routing key, or undefined if no message is. */
export function typeOfRoutingKey(routingKey: string): MessageType | undefined {
  return typesByRoutingKey.get(routingKey)
}
