import { examples } from '@mono/contracts'
import type { Held } from '../../src/consuming/handling/intake.js'
import type { ReceivedMessage } from '../../src/consuming/reading/received-message.js'
import type { Delivery } from '../../src/consuming/receiving/delivery.js'

/** A chat message in flight whose delivery is none: for what never settles it. */
export function createHeld(messageId: string): Held {
  const message: ReceivedMessage<'chat.messages'> = {
    payload: { ...examples['chat.message'], messageId },
    type: 'chat.message',
    messageId,
    tenantId: 42,
    routingKey: 'chat.direct',
    publishedAt: new Date(),
    attempt: 1,
    redelivered: false,
    headers: {},
  }
  return { message, delivery: {} as Delivery }
}
