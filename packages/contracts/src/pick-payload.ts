import type { z } from 'zod'
import type { AuditEvent } from './audit-event.js'
import { type MessageType, type PayloadByType, schemas } from './catalog.js'
import type { ChatMessage } from './chat-message.js'
import type { EmailMessage } from './email-message.js'
import type { EmailNotification } from './email-notification.js'
import { tenantId } from './fields.js'
import type { JsonRecord } from './find-record-faults.js'
import type { PushNotification } from './push-notification.js'

/** The types that database drivers have for a column of `V`. They are wider than `V` in places, and sending checks the rest. */
type Column<V> = JsonRecord extends V
  ? unknown // A JSON column is typed as any JSON.
  : number extends V
    ? V | bigint | string // A driver that keeps every digit of 64 bits hands over a bigint, or the digits.
    : undefined extends V
      ? V | null
      : V extends readonly (infer E)[]
        ? readonly E[]
        : V

/** A database row, or any other object, that has the fields of a message among others. */
export type RowOf<P> = { readonly [F in keyof P]: Column<P[F]> }

/**
 * The chat message in a row: its own fields and no others, so that it can be sent. A `tenantId` that the driver hands
 * over as a bigint or as digits becomes a number. Nothing else is converted or checked: sending does that.
 */
export function pickChatMessage<R extends RowOf<ChatMessage>>(row: R): ChatMessage {
  return pickPayload('chat.message', row)
}

/** As `pickChatMessage`; null in `data` is left out. */
export function pickPushNotification<R extends RowOf<PushNotification>>(row: R): PushNotification {
  return pickPayload('push.notification', row)
}

/** As `pickChatMessage`; null in `data` is an empty record, null in `replyTo` is left out. */
export function pickEmailNotification<R extends RowOf<EmailNotification>>(row: R): EmailNotification {
  return pickPayload('email.notification', row)
}

/** As `pickChatMessage`; null in `text`, `html` or `replyTo` is left out. */
export function pickEmailMessage<R extends RowOf<EmailMessage>>(row: R): EmailMessage {
  return pickPayload('email.message', row)
}

/** As `pickChatMessage`. */
export function pickAuditEvent<R extends RowOf<AuditEvent>>(row: R): AuditEvent {
  return pickPayload('audit.event', row)
}

/** For the advice of an error. */
export const pickFunctions = {
  'chat.message': pickChatMessage,
  'push.notification': pickPushNotification,
  'email.notification': pickEmailNotification,
  'email.message': pickEmailMessage,
  'audit.event': pickAuditEvent,
} as const satisfies Record<MessageType, unknown>

/** Reads each field by its name, so that the getters of an ORM's model are read too. */
function pickPayload<T extends MessageType>(type: T, row: object): PayloadByType[T] {
  const payload: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(schemas[type].shape)) {
    const value: unknown = Reflect.get(row, name)
    const picked =
      value === null || value === undefined ? absentValue(field, value) : field === tenantId ? toNumber(value) : value
    if (picked !== undefined) payload[name] = picked
  }
  return payload as unknown as PayloadByType[T]
}

/** Nothing, or the field's default. A required field keeps its null, and sending refuses it. */
function absentValue(field: z.ZodType, value: null | undefined): unknown {
  const { success, data } = field.safeParse(undefined)
  return success ? data : value
}

function toNumber(value: unknown): unknown {
  const isInteger = typeof value === 'bigint' || (typeof value === 'string' && /^\d{1,16}$/.test(value))
  return isInteger && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
