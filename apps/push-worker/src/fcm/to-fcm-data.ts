import type { PushMessage } from '../sending/push-channel.js'

export interface FcmData {
  data: Record<string, string>
  /** Keys that were left out because FCM reserves them are counted. */
  reservedKeys: number
}

/** The keys that FCM takes for itself: a message with one of them is refused. */
const reserved = /^(?:from$|message_type$|google|gcm)/

/**
 * Makes of `data` what FCM takes: a map of strings, in which every other value stands as JSON. `push` is left out,
 * because the notification itself is made of it.
 */
export function toFcmData(data: PushMessage['notification']['data']): FcmData {
  const entries = Object.entries(data ?? {}).filter(([key]) => key !== 'push')
  const allowed = entries.filter(([key]) => !reserved.test(key))
  return {
    data: Object.fromEntries(allowed.map(([key, value]) => [key, toText(value)])),
    reservedKeys: entries.length - allowed.length,
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
