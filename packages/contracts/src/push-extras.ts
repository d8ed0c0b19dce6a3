import { describeFound } from './describe-found.js'
import type { JsonRecord, NestedFault } from './find-record-faults.js'
import { findTextFault } from './find-text-fault.js'
import { limits } from './limits.js'

/** The part that only notifications on phones have: `data.push` of a push notification. Browsers are sent it as a part of `data`. */
export interface PushExtras {
  /** The number on the app's icon, an integer from 0 to 2^31−1; 0 takes it away. */
  badge?: number
  /** The name of a sound file in the app, or `default`: 1 to 255 bytes. */
  sound?: string
  /** An `https:` URL of an image, at most 2,048 bytes. */
  image?: string
  /** The id of the notification channel of Android: 1 to 255 bytes. */
  androidChannel?: string
  /** Groups notifications on Apple's devices: 1 to 255 bytes. */
  threadId?: string
  /** Wakes the app, and shows nothing: not with `badge`, `sound` or `image`. */
  silent?: boolean
}

const maxBadge = 2 ** 31 - 1
const maxNameBytes = 255
const maxUrlBytes = 2048

const findFaultOf: Record<keyof PushExtras, (value: unknown) => string | undefined> = {
  badge: findBadgeFault,
  sound: findNameFault,
  image: findImageFault,
  androidChannel: findNameFault,
  threadId: findNameFault,
  silent: (value) => (typeof value === 'boolean' ? undefined : `expected a boolean, found ${describeFound(value)}`),
}

const keys = Object.keys(findFaultOf) as (keyof PushExtras)[]

/** Each of these is shown, so none goes with `silent`. */
const shown = ['badge', 'sound', 'image'] as const satisfies (keyof PushExtras)[]

/**
 * Finds out why a value is not a `PushExtras`: one fault per key, with its path from the value on. A key of null is not
 * there.
 */
export function findPushExtrasFaults(value: unknown): NestedFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path: [], reason: `expected an object, found ${describeFound(value)}` }]
  }
  const extras = value as JsonRecord
  const present = Object.keys(extras).filter((key) => extras[key] !== null)
  return present.slice(0, limits.maxIssues).flatMap((key) => {
    const reason = findKeyFault(key, extras)
    return reason === undefined ? [] : [{ path: [key], reason }]
  })
}

/** Leaves out what is null. */
export function toPushExtras(extras: { [K in keyof PushExtras]: PushExtras[K] | null }): PushExtras {
  return Object.fromEntries(Object.entries(extras).filter(([, value]) => value !== null))
}

function findKeyFault(key: string, extras: JsonRecord): string | undefined {
  if (!isKey(key)) return `expected one of ${keys.join(', ')}, found another key`
  if (extras.silent === true && shown.some((name) => name === key)) return 'expected nothing beside silent: true'
  return findFaultOf[key](extras[key])
}

function isKey(key: string): key is keyof PushExtras {
  return Object.hasOwn(findFaultOf, key)
}

function findBadgeFault(value: unknown): string | undefined {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxBadge) return undefined
  return `expected an integer from 0 to ${maxBadge}, found ${describeFound(value)}`
}

function findNameFault(value: unknown): string | undefined {
  return value === '' ? 'expected a text, found an empty string' : findTextFault(value, maxNameBytes)
}

function findImageFault(value: unknown): string | undefined {
  const fault = findTextFault(value, maxUrlBytes)
  if (fault !== undefined) return fault
  const url = String(value)
  const isHttps = URL.canParse(url) && new URL(url).protocol === 'https:'
  return isHttps ? undefined : 'expected an https: URL, found something else'
}
