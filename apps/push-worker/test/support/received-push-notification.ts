import { examples } from '@mono/contracts'
import type { ReceivedMessage } from '@mono/message-queue'

type ReceivedPushNotification = ReceivedMessage<'push.notifications'>

/** The example notification as the worker receives it. */
export function receivedPushNotification(
  payload: Partial<ReceivedPushNotification['payload']> = {},
  envelope: Partial<Omit<ReceivedPushNotification, 'payload'>> = {},
): ReceivedPushNotification {
  const notification = { ...examples['push.notification'], ...payload }
  return {
    payload: notification,
    bodyText: JSON.stringify(notification),
    type: 'push.notification',
    messageId: 'message-1',
    tenantId: notification.tenantId,
    routingKey: 'push.all',
    publishedAt: new Date(),
    attempt: 1,
    redelivered: false,
    headers: {},
    ...envelope,
  }
}
