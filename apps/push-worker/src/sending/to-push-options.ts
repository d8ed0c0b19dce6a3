import type { PushNotification } from '@mono/contracts'
import { InvalidMessageError } from '@mono/message-queue'

export const urgencies = ['very-low', 'low', 'normal', 'high'] as const

export type Urgency = (typeof urgencies)[number]

/** `data` tells these to the push services, whatever the channel. */
export interface PushOptions {
  /** How long the push service keeps it for a device that it does not reach, in seconds. */
  ttlSeconds: number
  urgency: Urgency
  /** The push service keeps only the newest of a topic for a device that it does not reach. */
  topic?: string
}

const defaultTtlSeconds = 24 * 60 * 60
const maxTtlSeconds = 28 * 24 * 60 * 60

/**
 * Reads `data.ttl`, `data.urgency` and `data.topic`, which go to the device too.
 *
 * @throws InvalidMessageError for one of these that is none
 */
export function toPushOptions({ data }: Pick<PushNotification, 'data'>): PushOptions {
  const { ttl: ttlSeconds = defaultTtlSeconds, urgency = 'normal', topic } = data ?? {}
  const issues = []
  if (!isTtl(ttlSeconds)) {
    issues.push({ path: 'data.ttl', reason: `expected an integer of seconds from 0 to ${maxTtlSeconds}` })
  }
  if (!isUrgency(urgency)) issues.push({ path: 'data.urgency', reason: `expected one of ${urgencies.join(', ')}` })
  if (topic !== undefined && !isTopic(topic)) {
    issues.push({ path: 'data.topic', reason: 'expected 1 to 32 characters of A-Z, a-z, 0-9, - and _' })
  }
  if (issues.length > 0 || !isTtl(ttlSeconds) || !isUrgency(urgency)) {
    throw new InvalidMessageError('push.notification', issues)
  }
  return { ttlSeconds, urgency, ...(isTopic(topic) ? { topic } : {}) }
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
