import type { PushMessage } from '../sending/push-channel.js'
import { toFcmData } from './to-fcm-data.js'

/** A message of FCM's HTTP v1 API without its address. It is the same for every device. */
export interface FcmContent {
  notification?: FcmNotification
  data?: Record<string, string>
  android: {
    priority: 'HIGH' | 'NORMAL'
    /** Seconds: `60s`. */
    ttl: string
    collapse_key?: string
    notification?: AndroidNotification
  }
}

interface FcmNotification {
  title: string
  body: string
  image?: string
}

interface AndroidNotification {
  tag: string
  channel_id?: string
  sound?: string
  notification_count?: number
}

/** Google's limit for a message to one device. */
export const maxPayloadBytes = 4096

/**
 * The tag makes a notification that is shown again replace itself instead of standing beside itself; that of a topic
 * replaces the one before it. A silent one has data only, so that the app alone decides what to do.
 */
export function toFcmContent({
  notification,
  messageId,
  options,
}: Pick<PushMessage, 'notification' | 'messageId' | 'options'>): { content: FcmContent; reservedKeys: number } {
  const { ttlSeconds, urgency, topic, extras } = options
  const { data, reservedKeys } = toFcmData(notification.data)
  const isSilent = extras.silent === true
  const content: FcmContent = {
    ...(isSilent ? {} : { notification: toNotification(notification, extras) }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
    android: {
      priority: urgency === 'high' ? 'HIGH' : 'NORMAL',
      ttl: `${ttlSeconds}s`,
      ...(topic === undefined ? {} : { collapse_key: topic }),
      ...(isSilent ? {} : { notification: toAndroidNotification(topic ?? messageId, extras) }),
    },
  }
  return { content, reservedKeys }
}

/**
 * The keys and values of what is shown and of the data, in UTF-8: Google's limit is for those, and not for the JSON
 * around them. A message that Google finds larger is refused by Google.
 */
export function countPayloadBytes({ notification, data, android }: FcmContent): number {
  const parts = [notification ?? {}, data ?? {}, android.notification ?? {}]
  const texts = parts.flatMap((part) => Object.entries(part).flat().map(String))
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

type Extras = PushMessage['options']['extras']

function toNotification({ title, body }: PushMessage['notification'], { image }: Extras): FcmNotification {
  return { title, body, ...(image === undefined ? {} : { image }) }
}

/** FCM takes a count of 0 for none at all: Android has nothing that takes the number away. */
function toAndroidNotification(tag: string, { androidChannel, sound, badge = 0 }: Extras): AndroidNotification {
  return {
    tag,
    ...(androidChannel === undefined ? {} : { channel_id: androidChannel }),
    ...(sound === undefined ? {} : { sound }),
    ...(badge === 0 ? {} : { notification_count: badge }),
  }
}
