import { createHash } from 'node:crypto'
import type { PushUrgency } from '@mono/contracts'
import type { PushMessage } from '../sending/push-channel.js'

/** It is the same for every device of a message. */
export interface ApnsContent {
  /** `apns-id` and `authorization` are missing: they name the device and us. */
  headers: Record<string, string>
  /** JSON. */
  payload: Buffer
}

/** Apple takes no more (`PayloadTooLarge`). */
export const maxPayloadBytes = 4096

/** Apple's 10 is at once; 5 is when the device's battery allows. */
const priorityByUrgency: Record<PushUrgency, '10' | '5'> = { high: '10', normal: '10', low: '5', 'very-low': '5' }

/**
 * The notification as Apple wants it, or undefined if Apple takes no payload of its size.
 *
 * Everything that tells one try of a message from another is left out: Apple and the device replace a notification that
 * comes twice by its collapse id.
 */
export function toApnsContent(message: PushMessage, topic: string): ApnsContent | undefined {
  const payload = Buffer.from(JSON.stringify(toPayload(message)))
  if (payload.length > maxPayloadBytes) return undefined
  const { extras, urgency } = message.options
  const headers = {
    'apns-topic': topic,
    'apns-push-type': extras.silent ? 'background' : 'alert',
    // Apple refuses 10 for the background.
    'apns-priority': extras.silent ? '5' : priorityByUrgency[urgency],
    'apns-expiration': toExpiration(message),
    'apns-collapse-id': toCollapseId(message),
  }
  return { headers, payload }
}

/**
 * `data` lies beside `aps`, whose place it cannot take: it was checked for that when it was published. `data.push` is
 * told in Apple's own words, so of it only the image is left, for which Apple has none: the notification service
 * extension of the app, woken by `mutable-content`, reads `push.image` and attaches what it finds there.
 */
function toPayload({ notification: { title, body, data }, options: { extras } }: PushMessage): object {
  const { push: _told, ...own } = data ?? {}
  if (extras.silent) return { aps: { 'content-available': 1 }, ...own }
  const { sound, badge, threadId, image } = extras
  const aps = {
    alert: { title, body },
    ...(sound !== undefined && { sound }),
    ...(badge !== undefined && { badge }),
    ...(threadId !== undefined && { 'thread-id': threadId }),
    ...(image !== undefined && { 'mutable-content': 1 }),
  }
  return { aps, ...own, ...(image !== undefined && { push: { image } }) }
}

/** The point in time is in seconds since 1970; with 0 Apple tries once and keeps nothing. */
function toExpiration({ publishedAt, options: { ttlSeconds } }: PushMessage): string {
  if (ttlSeconds === 0) return '0'
  return String(Math.floor(publishedAt.getTime() / 1000) + ttlSeconds)
}

/** Apple takes 64 bytes, and a message's id may be longer: 43 characters stand for it, or for its topic. */
function toCollapseId({ tenantId, messageId, options: { topic } }: PushMessage): string {
  const name = topic === undefined ? [tenantId, 'message', messageId] : [tenantId, 'topic', topic]
  return createHash('sha256').update(JSON.stringify(name)).digest('base64url')
}
