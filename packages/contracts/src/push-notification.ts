import { z } from 'zod'
import { pushData, recipients, tenantId, text } from './fields.js'
import type { JsonRecord } from './find-record-faults.js'
import { limits } from './limits.js'
import type { PushExtras } from './push-extras.js'

/**
 * A notification to all devices of some users. Routing keys `push.mobile`, `push.web` and `push.all`; consumed by the
 * push worker.
 */
export interface PushNotification {
  /** Ids of 1 to 10,000 users. */
  recipientIds: string[]
  /** May be empty. `title`, `body` and `data` together: at most 3,500 bytes as JSON. */
  title: string
  /** May be empty. */
  body: string
  /**
   * For the application on the device. JSON object, at most 32 deep. `ttl` (seconds), `urgency`, `topic` and `push`
   * ({@link PushExtras}) tell the push services what to do; `aps` is refused.
   */
  data?: JsonRecord | undefined
  /** Integer from 1 to 2^53−1. */
  tenantId: number
}

const payloadFields: ReadonlySet<unknown> = new Set(['title', 'body', 'data'])

export const pushNotificationSchema = z
  .object({
    recipientIds: recipients,
    title: text,
    body: text,
    data: pushData.optional(),
    tenantId,
  })
  .superRefine(
    ({ title, body, data }, context) => {
      const bytes = Buffer.byteLength(JSON.stringify({ title, body, data }))
      if (bytes <= limits.pushPayloadBytes) return
      const expected = `expected title, body and data to take at most ${limits.pushPayloadBytes} bytes as JSON`
      context.addIssue({ code: 'custom', message: `${expected}, found ${bytes}` })
    },
    // A fault elsewhere must not hide this one; one in these three fields makes their size meaningless.
    { when: ({ issues }) => !issues.some((issue) => payloadFields.has(issue.path?.[0])) },
  ) satisfies z.ZodType<PushNotification>

export const pushNotificationExample: PushNotification = {
  recipientIds: ['user-1', 'user-2'],
  title: 'New message',
  body: 'Ada wrote in “Lunch”',
  data: { conversationId: 'conversation-7', unread: 3 },
  tenantId: 42,
}
