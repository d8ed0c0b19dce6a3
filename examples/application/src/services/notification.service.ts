import type { PushNotification } from '@mono/contracts'
import type { Work } from '../database.js'
import { RefusedError } from '../errors.js'

export interface NotificationData {
  /** Unique in the tenant; its push notification and its mail have it as their `messageId`. */
  notificationId: string
  title: string
  body: string
  data: NonNullable<PushNotification['data']>
  tenantId: number
  sendEmail: boolean
  /** Id of the user who notifies. */
  sentBy: string
}

/**
 * Queues a push notification, and a mail if it is asked for: both or none. The same notification again, with the same id,
 * is accepted again, and is not sent again: `isNew` tells.
 *
 * @throws InvalidMessageError naming the fields; RefusedError if the id stands for another notification
 */
export async function notifyUsers(
  work: Work,
  userIds: string[],
  notification: NotificationData,
): Promise<{ isNew: boolean }> {
  const { messageQueue } = work
  const { notificationId: messageId, title, body, data, tenantId, sendEmail } = notification
  if (!(await saveNotification(work, userIds, notification))) return { isNew: false }

  // Queue push notification
  await messageQueue.sendPushNotification({ recipientIds: userIds, title, body, data, tenantId }, { messageId })

  // Queue email notification if requested
  if (sendEmail) {
    const to = await getUserEmails(work, tenantId, userIds)
    const email = { to, subject: title, template: 'notification', data: { ...data, body }, tenantId }
    await messageQueue.sendEmailNotification(email, { messageId })
  }
  return { isNew: true }
}

/** Resolves with whether it is new. */
async function saveNotification({ db }: Work, userIds: string[], n: NotificationData): Promise<boolean> {
  const { rows } = await db.query<{ isNew: boolean }>(
    `INSERT INTO example.notifications AS n
       (tenant_id, notification_id, sent_by, title, body, recipients, push_message_id, email_message_id)
     VALUES ($1, $2, $3, $4, $5, $6, $2, CASE WHEN $7 THEN $2 END)
     ON CONFLICT (tenant_id, notification_id) DO UPDATE SET notification_id = n.notification_id
     WHERE (n.sent_by, n.title, coalesce(n.body, excluded.body), n.email_message_id IS NULL)
       = (excluded.sent_by, excluded.title, excluded.body, excluded.email_message_id IS NULL)
     RETURNING xmax = 0 AS "isNew"`,
    [n.tenantId, n.notificationId, n.sentBy, n.title, n.body, userIds, n.sendEmail],
  )
  const [row] = rows
  if (!row) throw new RefusedError(409, 'Another notification has this id')
  return row.isNew
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
