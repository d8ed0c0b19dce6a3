import { examples } from '@mono/contracts'
import type { Held } from '../../src/consuming/handling/intake.js'
import type { ReceivedMessage } from '../../src/consuming/reading/received-message.js'
import type { Delivery } from '../../src/consuming/receiving/delivery.js'

/** A push notification in flight whose delivery is none: for what never settles it. */
export function createHeld(messageId: string, { bytes = 100 }: { bytes?: number } = {}): Held {
  const message: ReceivedMessage<'push.notifications'> = {
    payload: examples['push.notification'],
    bodyText: JSON.stringify(examples['push.notification']),
    type: 'push.notification',
    messageId,
    tenantId: 42,
    routingKey: 'push.web',
    publishedAt: new Date(),
    attempt: 1,
    redelivered: false,
    headers: {},
  }
  return { message, delivery: { message: { content: Buffer.alloc(bytes) } } as Delivery }
}
