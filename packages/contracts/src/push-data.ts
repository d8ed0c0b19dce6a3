import { describeFound } from './describe-found.js'
import { findRecordFaults, type JsonRecord, type NestedFault } from './find-record-faults.js'
import { findPushExtrasFaults, type PushExtras, toPushExtras } from './push-extras.js'

/** The part of a push notification's `data` that is for the push services, whatever the channel. */
export interface PushOptions {
  /** How long the push service keeps it for a device that it does not reach, in seconds. */
  ttlSeconds: number
  urgency: PushUrgency
  /** Of each topic, only the newest is kept for a device that is not reached, or shown. */
  topic?: string
  extras: PushExtras
}

export type PushUrgency = (typeof pushUrgencies)[number]

const pushUrgencies = ['very-low', 'low', 'normal', 'high'] as const
const defaultTtlSeconds = 24 * 60 * 60

const maxTtlSeconds = 28 * 24 * 60 * 60

/** Keys of `data` that are the push services' business, and why a value there is none. */
const findFaultOf: Record<string, (value: unknown) => string | undefined> = {
  ttl: (value) =>
    isTtl(value)
      ? undefined
      : `expected an integer of seconds from 0 to ${maxTtlSeconds}, found ${describeFound(value)}`,
  urgency: (value) =>
    pushUrgencies.some((urgency) => urgency === value)
      ? undefined
      : `expected one of ${pushUrgencies.join(', ')}, found ${describeFound(value)}`,
  // RFC 8030, section 5.4.
  topic: (value) =>
    typeof value === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(value)
      ? undefined
      : `expected 1 to 32 characters of A-Z, a-z, 0-9, - and _, found ${describeFound(value)}`,
  // It is Apple's own key, beside which `data` is sent.
  aps: () => 'expected no such key: it is reserved by Apple; what belongs there goes into data.push',
}

/** Finds out why a value is not the `data` of a push notification: one fault per offending value, none if it is. */
export function findPushDataFaults(value: unknown): NestedFault[] {
  const faults = findRecordFaults(value)
  if (faults.length > 0) return faults
  const data = value as JsonRecord
  return [...Object.entries(findFaultOf).flatMap(([key, findFault]) => atKey(data, key, findFault)), ...inExtras(data)]
}

/** Reads the data of a notification that was checked. */
export function toPushOptions(data: JsonRecord | undefined): PushOptions {
  const { ttl, urgency, topic, push } = (data ?? {}) as CheckedPushData
  return {
    ttlSeconds: ttl ?? defaultTtlSeconds,
    urgency: urgency ?? 'normal',
    ...(topic && { topic }),
    extras: toPushExtras(push ?? {}),
  }
}

interface CheckedPushData {
  ttl?: number | null
  urgency?: PushUrgency | null
  topic?: string | null
  push?: Parameters<typeof toPushExtras>[0] | null
}

/** Java and C# write null for a field that they leave out. */
function isAbsent(data: JsonRecord, key: string): boolean {
  return !Object.hasOwn(data, key) || data[key] === null
}

/** PHP cannot tell an empty list from an empty record. */
function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function atKey(data: JsonRecord, key: string, findFault: (value: unknown) => string | undefined): NestedFault[] {
  const reason = isAbsent(data, key) ? undefined : findFault(data[key])
  return reason === undefined ? [] : [{ path: [key], reason }]
}

function inExtras(data: JsonRecord): NestedFault[] {
  if (isAbsent(data, 'push') || isEmptyList(data.push)) return []
  return findPushExtrasFaults(data.push).map(({ path, reason }) => ({ path: ['push', ...path], reason }))
}

function isTtl(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxTtlSeconds
}
