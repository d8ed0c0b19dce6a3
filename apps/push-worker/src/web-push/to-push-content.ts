import type { PushNotification } from '@mono/contracts'
import { InvalidMessageError } from '@mono/message-queue'

export const urgencies = ['very-low', 'low', 'normal', 'high'] as const

export type Urgency = (typeof urgencies)[number]

/** What is the same for every device of a message. */
export interface PushContent {
  /** JSON of `{ title, body, data, tag }`, not encrypted yet. */
  payload: Buffer
  /** How long the push service keeps it for a device that it does not reach, in seconds. */
  ttlSeconds: number
  urgency: Urgency
  /** The push service keeps only the newest of a topic for a device that it does not reach. */
  topic?: string
}

/** Bytes that RFC 8291 adds at our settings are 103; push services take 4096 (RFC 8030, section 7.2). */
const maxPayloadBytes = 3993

const defaultTtlSeconds = 24 * 60 * 60
const maxTtlSeconds = 28 * 24 * 60 * 60

/**
 * The tag is the message's id: a notification that is shown again replaces itself instead of standing beside itself.
 * `data` goes to the device as it is; `data.ttl`, `data.urgency` and `data.topic` are for the push service too.
 *
 * @throws InvalidMessageError for one of these that is none, and for a payload that no push service takes
 */
export function toPushContent({ title, body, data }: PushNotification, messageId: string): PushContent {
  const { ttl: ttlSeconds = defaultTtlSeconds, urgency = 'normal', topic } = data ?? {}
  const payload = Buffer.from(JSON.stringify({ title, body, data, tag: messageId }))
  const issues = []
  if (!isTtl(ttlSeconds)) {
    issues.push({ path: 'data.ttl', reason: `expected an integer of seconds from 0 to ${maxTtlSeconds}` })
  }
  if (!isUrgency(urgency)) issues.push({ path: 'data.urgency', reason: `expected one of ${urgencies.join(', ')}` })
  if (topic !== undefined && !isTopic(topic)) {
    issues.push({ path: 'data.topic', reason: 'expected 1 to 32 characters of A-Z, a-z, 0-9, - and _' })
  }
  if (payload.length > maxPayloadBytes) {
    const reason = `expected title, body, data and tag to take at most ${maxPayloadBytes} bytes, found ${payload.length}`
    issues.push({ path: '', reason })
  }
  if (issues.length > 0 || !isTtl(ttlSeconds) || !isUrgency(urgency)) {
    throw new InvalidMessageError('push.notification', issues)
  }
  return { payload, ttlSeconds, urgency, ...(isTopic(topic) ? { topic } : {}) }
}

function isTtl(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxTtlSeconds
}

function isUrgency(value: unknown): value is Urgency {
  return urgencies.some((urgency) => urgency === value)
}

/** RFC 8030, section 5.4. */
function isTopic(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(value)
}
