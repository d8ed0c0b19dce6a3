import { z } from 'zod'
import { trackUserAction } from '../services/audit.service.js'
import { notifyUsers } from '../services/notification.service.js'
import { text } from './fields.js'
import { readBody } from './read-body.js'
import { readId } from './read-id.js'
import type { Routes, Site } from './site.js'

const notification = z.strictObject({ title: text.min(1), body: text, sendEmail: z.boolean().default(false) })

export function addNotificationRoutes(routes: Routes, { transact, messageQueue }: Site): void {
  /** Notifies everybody of the tenant. */
  routes.post('/notifications', async (context) => {
    const { tenantId, userId } = context.get('session')
    const { title, body, sendEmail } = await readBody(context, notification)
    const notificationId = await transact(async (work) => {
      const userIds = (await work.db.user.list(tenantId)).map((user) => user.userId)
      const made = await notifyUsers(work, userIds, { title, body, data: {}, tenantId, sendEmail, sentBy: userId })
      await trackUserAction(work, userId, tenantId, 'USERS_NOTIFIED', 'Notification', made, { title, sendEmail })
      return made
    })
    return context.json({ notificationId, accepted: true, brokerConnected: messageQueue.connected }, 202)
  })

  routes.get('/notifications/:notificationId', async (context) => {
    const { tenantId } = context.get('session')
    const notificationId = readId(context, 'notificationId')
    return context.json(await transact(({ db }) => db.notification.report(tenantId, notificationId)))
  })
}
