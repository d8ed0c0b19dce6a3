import type { z } from 'zod'
import { type AuditEvent, auditEventExample, auditEventSchema } from './audit-event.js'
import { type ChatMessage, chatMessageExample, chatMessageSchema } from './chat-message.js'
import { type EmailMessage, emailMessageExample, emailMessageSchema } from './email-message.js'
import { type EmailNotification, emailNotificationExample, emailNotificationSchema } from './email-notification.js'
import { type PushNotification, pushNotificationExample, pushNotificationSchema } from './push-notification.js'

/** The closed list of messages, by the name that the AMQP property `type` carries. */
export type MessageType = 'chat.message' | 'push.notification' | 'email.notification' | 'email.message' | 'audit.event'

/** The payload of each message. */
export interface PayloadByType {
  'chat.message': ChatMessage
  'push.notification': PushNotification
  'email.notification': EmailNotification
  'email.message': EmailMessage
  'audit.event': AuditEvent
}

/** Every message type. */
export const messageTypes: readonly MessageType[] = [
  'chat.message',
  'push.notification',
  'email.notification',
  'email.message',
  'audit.event',
]

/** The schema of each message as it is consumed: JSON in, payload out. */
export const schemas = {
  'chat.message': chatMessageSchema,
  'push.notification': pushNotificationSchema,
  'email.notification': emailNotificationSchema,
  'email.message': emailMessageSchema,
  'audit.event': auditEventSchema,
} as const satisfies { [T in MessageType]: z.ZodObject & z.ZodType<PayloadByType[T]> }

/** One valid payload of each message, with every optional field set. */
export const examples: { [T in MessageType]: PayloadByType[T] } = {
  'chat.message': chatMessageExample,
  'push.notification': pushNotificationExample,
  'email.notification': emailNotificationExample,
  'email.message': emailMessageExample,
  'audit.event': auditEventExample,
}
