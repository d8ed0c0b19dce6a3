import type { PushNotification } from '@mono/contracts'
import { uuidv7 } from 'uuidv7'
import type { Work } from './work.js'

export interface NotificationData {
  title: string
  body: string
  data: NonNullable<PushNotification['data']>
  tenantId: number
  sendEmail: boolean
  /** Id of the user who notifies. */
  sentBy: string
}

/** Queues a push notification, and a mail if it is asked for: both or none. Resolves with the notification's id. */
export async function notifyUsers(work: Work, userIds: string[], notification: NotificationData): Promise<string> {
  const { db, messageQueue } = work
  const notificationId = uuidv7()
  // Queue push notification
  const push = await messageQueue.sendPushNotification({
    recipientIds: userIds,
    title: notification.title,
    body: notification.body,
    data: notification.data,
    tenantId: notification.tenantId,
  })

  // Queue email notification if requested
  const email = notification.sendEmail
    ? await messageQueue.sendEmailNotification({
        to: await getUserEmails(work, notification.tenantId, userIds),
        subject: notification.title,
        template: 'notification',
        data: { ...notification.data, body: notification.body },
        tenantId: notification.tenantId,
      })
    : undefined

  await db.notification.create({
    data: {
      notificationId,
      tenantId: notification.tenantId,
      sentBy: notification.sentBy,
      title: notification.title,
      recipients: userIds,
      pushMessageId: push.messageId,
      emailMessageId: email?.messageId ?? null,
    },
  })
  return notificationId
}

/** The addresses of those among these who are the tenant's users. */
async function getUserEmails({ db }: Work, tenantId: number, userIds: string[]): Promise<string[]> {
  return await db.user.findEmails(tenantId, userIds)
}
