import type { ClientBase } from 'pg'
import { createAuditTrail } from './audit-trail.js'
import { createConversations } from './conversations.js'
import { createDevices } from './devices.js'
import { createMessages } from './messages.js'
import { createNotifications } from './notifications.js'
import { createSessions } from './sessions.js'
import { createUsers } from './users.js'

export type Db = ReturnType<typeof createDb>

/** Everything that the application's role may see and change, in one transaction. Every statement names the tenant. */
export function createDb(client: ClientBase) {
  return {
    auditEvent: createAuditTrail(client),
    conversation: createConversations(client),
    device: createDevices(client),
    message: createMessages(client),
    notification: createNotifications(client),
    session: createSessions(client),
    user: createUsers(client),
  }
}
