import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { listAuditEvents, trackUserAction } from '../services/audit.service.js'
import { listUserIds, notifyUsers } from '../services/notification.service.js'
import { readNotification } from '../services/notification-report.js'
import { id, readBody, readId, text } from './input.js'
import type { Routes, Site } from './site.js'

/** A page that sends again after an answer that it did not get names the same id. */
const newNotification = z.strictObject({
  notificationId: id.optional(),
  title: text.min(1),
  body: text,
  sendEmail: z.boolean().default(false),
})

export function addNotificationRoutes(routes: Routes, { transact, messageQueue }: Site): void {
  /** Notifies everybody of the tenant. */
  routes.post('/notifications', async (context) => {
    const { tenantId, userId } = context.get('session')
    const { notificationId = uuidv7(), title, body, sendEmail } = await readBody(context, newNotification)
    await transact(async (work) => {
      const userIds = await listUserIds(work, tenantId)
      const notification = { notificationId, title, body, data: {}, tenantId, sendEmail, sentBy: userId }
      const { isNew } = await notifyUsers(work, userIds, notification)
      const changes = { title, sendEmail }
      if (isNew)
        await trackUserAction(work, userId, tenantId, 'USERS_NOTIFIED', 'Notification', notificationId, changes)
    })
    return context.json({ notificationId, accepted: true, brokerConnected: messageQueue.connected }, 202)
  })

  routes.get('/notifications/:notificationId', async (context) => {
    const { tenantId } = context.get('session')
    const notificationId = readId(context, 'notificationId')
    return context.json(await transact((work) => readNotification(work, tenantId, notificationId)))
  })

  routes.get('/audit-events', async (context) => {
    const { tenantId } = context.get('session')
    return context.json(await transact((work) => listAuditEvents(work, tenantId)))
  })
}
