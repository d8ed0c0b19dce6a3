import type { PushNotification } from '@mono/contracts'
import type { Logger } from '../logger.js'

/**
 * Largest JSON of `{ title, body, data }` that every device takes. Firefox for Android takes 3,070 bytes encrypted, of
 * which encryption needs 103, and the tag, which is the message's id, up to 137.
 */
export const everyDeviceBytes = 2_830

/** Others take it, so it is sent; whoever wonders why these devices get nothing finds the line. */
export function warnOfLargePush(
  { title, body, data }: PushNotification,
  { messageId, logger }: { messageId: string; logger: Logger },
): void {
  const bytes = Buffer.byteLength(JSON.stringify({ title, body, data }))
  if (bytes <= everyDeviceBytes) return
  logger.warn(
    { messageId, bytes, everyDeviceBytes },
    'A push notification is larger than Firefox for Android takes; other devices get it',
  )
}
