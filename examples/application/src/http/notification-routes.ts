import { z } from 'zod'
import { listAuditEvents, trackUserAction } from '../services/audit.service.js'
import { listUserIds, notifyUsers } from '../services/notification.service.js'
import { readNotification } from '../services/notification-report.js'
import { readBody, readId, text } from './input.js'
import type { Routes, Site } from './site.js'

const notification = z.strictObject({ title: text.min(1), body: text, sendEmail: z.boolean().default(false) })

export function addNotificationRoutes(routes: Routes, { transact, messageQueue }: Site): void {
  /** Notifies everybody of the tenant. */
  routes.post('/notifications', async (context) => {
    const { tenantId, userId } = context.get('session')
    const { title, body, sendEmail } = await readBody(context, notification)
    const notificationId = await transact(async (work) => {
      const userIds = await listUserIds(work, tenantId)
      const made = await notifyUsers(work, userIds, { title, body, data: {}, tenantId, sendEmail, sentBy: userId })
      await trackUserAction(work, userId, tenantId, 'USERS_NOTIFIED', 'Notification', made, { title, sendEmail })
      return made
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
