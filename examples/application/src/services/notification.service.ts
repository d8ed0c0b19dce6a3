import type { PushNotification } from '@mono/contracts'
import { uuidv7 } from 'uuidv7'
import type { Work } from '../database.js'

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
  const { messageQueue, db } = work
  const { title, body, data, tenantId, sendEmail, sentBy } = notification
  // Queue push notification
  const push = await messageQueue.sendPushNotification({ recipientIds: userIds, title, body, data, tenantId })

  // Queue email notification if requested
  const email = sendEmail
    ? await messageQueue.sendEmailNotification({
        to: await getUserEmails(work, tenantId, userIds),
        subject: title,
        template: 'notification',
        data: { ...data, body },
        tenantId,
      })
    : undefined

  const notificationId = uuidv7()
  await db.query(
    `INSERT INTO example.notifications
       (tenant_id, notification_id, sent_by, title, recipients, push_message_id, email_message_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [tenantId, notificationId, sentBy, title, userIds, push.messageId, email?.messageId],
  )
  return notificationId
}

/** The addresses of those among these who are the tenant's users. */
async function getUserEmails({ db }: Work, tenantId: number, userIds: string[]): Promise<string[]> {
  const { rows } = await db.query<{ email: string }>(
    'SELECT email FROM example.users WHERE tenant_id = $1 AND user_id = ANY ($2) ORDER BY user_id',
    [tenantId, userIds],
  )
  return rows.map(({ email }) => email)
}

/** Everybody of the tenant. */
export async function listUserIds({ db }: Work, tenantId: number): Promise<string[]> {
  const { rows } = await db.query<{ userId: string }>(
    'SELECT user_id AS "userId" FROM example.users WHERE tenant_id = $1 ORDER BY user_id',
    [tenantId],
  )
  return rows.map(({ userId }) => userId)
}
