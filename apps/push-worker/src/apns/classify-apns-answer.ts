import type { ServeResult } from '@mono/delivery-ledger'
import { type HttpAnswer, parseRetryAfter } from '@mono/http-client'
import type { Device, DisableReason } from '../device.js'
import type { OriginReport } from '../sending/origin-report.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { type ApnsReason, readApnsReason } from './apns-reason.js'

export type ApnsAnswer = Pick<HttpAnswer, 'status' | 'headers' | 'body'>

/** Apple is left alone so long when it refuses our settings, or has had too many tokens of us. */
const settingsWaitMs = 60_000

/** With these reasons of 400 the device's token is at fault, and the device is disabled. */
const tokenFaults: Record<string, { code: string; disable: DisableReason }> = {
  BadDeviceToken: { code: 'INVALID_TOKEN', disable: 'invalid-token' },
  DeviceTokenNotForTopic: { code: 'WRONG_SENDER', disable: 'wrong-sender' },
}

/** With these reasons of 400 the message is at fault: no device gets it. */
const messageFaults = new Set([
  'BadCollapseId',
  'BadExpirationDate',
  'BadMessageId',
  'BadPriority',
  'DuplicateHeaders',
  'InvalidPushType',
  'MissingDeviceToken',
  'PayloadEmpty',
])

/** With these reasons of 400 our settings are at fault, as with every 403, 404 and 405. */
const settingsFaults = new Set(['BadTopic', 'MissingTopic', 'TopicDisallowed'])

/**
 * Tells what an answer of Apple's means (Handling notification responses from APNs). What is not known here is nobody's
 * fault: it is tried again, and disables nobody.
 */
export function classifyApnsAnswer(answer: ApnsAnswer, device: Pick<Device, 'registeredAt'>, now: number): PushVerdict {
  const { status, headers } = answer
  if (status === 200) return accept(headers)
  const said = readApnsReason(answer)
  const waitMs = parseRetryAfter(headers['retry-after'], now)
  if (isSettingsRefusal(answer)) return leaveAlone('APNS_REJECTED', settingsWaitMs)
  if (status === 400) return classifyBadRequest(said)
  if (status === 410) return classifyGone(said, device, now)
  if (status === 413) return { result: { kind: 'failed', code: 'PAYLOAD_TOO_LARGE' }, origin: alive }
  if (endsConnection(answer)) return leaveAlone('APNS_TOKEN_UPDATES', settingsWaitMs)
  if (status === 429) return toWait(waitMs)
  return status >= 500 ? classifyTrouble(waitMs) : unknown
}

/** Tells whether the provider token was refused for its age, or for a clock that is wrong. */
export function isExpiredToken(answer: ApnsAnswer): boolean {
  return answer.status === 403 && readApnsReason(answer).reason === 'ExpiredProviderToken'
}

/** Tells whether Apple refuses what is the same for all devices: our key, our topic, or the address that we ask at. */
export function isSettingsRefusal(answer: ApnsAnswer): boolean {
  const { status } = answer
  if (status === 403 || status === 404 || status === 405) return true
  return status === 400 && settingsFaults.has(readApnsReason(answer).reason ?? '')
}

/** Tells whether the connection takes no token any more, not even the one that it took before. */
export function endsConnection(answer: ApnsAnswer): boolean {
  return answer.status === 429 && readApnsReason(answer).reason === 'TooManyProviderTokenUpdates'
}

const alive: OriginReport = { kind: 'alive' }

const unknown: PushVerdict = { result: { kind: 'retry', code: 'UNKNOWN_ANSWER' }, origin: alive }

function accept({ 'apns-id': id }: HttpAnswer['headers']): PushVerdict {
  const result: ServeResult = typeof id === 'string' ? { kind: 'sent', providerId: id.slice(0, 500) } : { kind: 'sent' }
  return { result, origin: { kind: 'accepted' } }
}

function leaveAlone(code: string, waitMs: number): PushVerdict {
  return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'down', code, waitMs } }
}

function classifyBadRequest({ reason = '' }: ApnsReason): PushVerdict {
  const fault = Object.hasOwn(tokenFaults, reason) ? tokenFaults[reason] : undefined
  if (fault) return { result: { kind: 'failed', code: fault.code }, origin: alive, disable: fault.disable }
  if (messageFaults.has(reason)) return { result: { kind: 'failed', code: 'PROVIDER_REJECTED' }, origin: alive }
  return reason === 'IdleTimeout' ? classifyTrouble(undefined) : unknown
}

/** For so long after a registration, Apple's word of the time before may be old news. */
const settlesMs = 10 * 60_000

/**
 * The token was dead at a time: if the application has registered it since, it is another life of the same token. While
 * that is new it is tried again; later nobody gains by that, and only the next registration could tell more.
 */
function classifyGone(
  { reason, timestamp }: ApnsReason,
  device: Pick<Device, 'registeredAt'>,
  now: number,
): PushVerdict {
  if (reason !== 'Unregistered' && reason !== 'ExpiredToken') return unknown
  const code = 'GONE'
  const registeredAt = Date.parse(device.registeredAt)
  if (timestamp !== undefined && registeredAt >= timestamp) {
    const kind = now < registeredAt + settlesMs ? 'retry' : 'failed'
    return { result: { kind, code }, origin: alive }
  }
  return { result: { kind: 'failed', code }, origin: alive, disable: 'gone' }
}

/** `TooManyRequests` is said of one device. */
function toWait(waitMs: number | undefined): PushVerdict {
  const code = 'RATE_LIMITED'
  if (waitMs === undefined) return { result: { kind: 'defer', code }, origin: { kind: 'refused', code }, wait: {} }
  return {
    result: { kind: 'defer', code, delayMs: waitMs },
    origin: { kind: 'refused', code, waitMs },
    wait: { ms: waitMs },
  }
}

/** A time to wait is Apple's, and holds for all of its devices. */
function classifyTrouble(waitMs: number | undefined): PushVerdict {
  const code = 'PROVIDER_UNAVAILABLE'
  if (waitMs === undefined) return { result: { kind: 'retry', code }, origin: { kind: 'failing', code } }
  return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'down', code, waitMs } }
}
