import { type HttpAnswer, parseJsonObject, parseRetryAfter } from '@mono/http-client'
import type { OriginReport } from '../sending/origin-report.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { type FcmFault, parseFcmFault } from './parse-fcm-fault.js'

/** All devices wait so long if FCM has not said it: its quota is for a minute, and settings are changed by people. */
const defaultWaitMs = 60_000

const alive: OriginReport = { kind: 'alive' }

const gone: PushVerdict = { result: { kind: 'failed', code: 'GONE' }, origin: alive, disable: 'gone' }

/** The token belongs to another Firebase project. */
const wrongSender: PushVerdict = {
  result: { kind: 'failed', code: 'WRONG_SENDER' },
  origin: alive,
  disable: 'wrong-sender',
}

export const invalidToken: PushVerdict = {
  result: { kind: 'failed', code: 'INVALID_TOKEN' },
  origin: alive,
  disable: 'invalid-token',
}

/** FCM has no key for Apple, or for browsers: that concerns the devices there, and none of Android. */
const thirdPartyAuth: PushVerdict = { result: { kind: 'failed', code: 'THIRD_PARTY_AUTH' }, origin: alive }

const rejected: PushVerdict = { result: { kind: 'failed', code: 'PROVIDER_REJECTED' }, origin: alive }

const tooLarge: PushVerdict = { result: { kind: 'failed', code: 'PAYLOAD_TOO_LARGE' }, origin: alive }

/** The project, its rights, or the origin is wrong, and so for every device. */
const refused: PushVerdict = {
  result: { kind: 'defer', code: 'FCM_REJECTED', delayMs: defaultWaitMs },
  origin: { kind: 'down', code: 'FCM_REJECTED', waitMs: defaultWaitMs },
}

/** A page instead of an answer was served by accident before now, for addresses that are right. */
const pageNotFound: PushVerdict = {
  result: { kind: 'defer', code: 'PROVIDER_UNAVAILABLE' },
  origin: { kind: 'failing', code: 'PROVIDER_UNAVAILABLE' },
}

/** Whatever answers with 200 may be a proxy. The tag keeps what was taken after all from being shown twice. */
const unexpected: PushVerdict = {
  result: { kind: 'retry', code: 'UNEXPECTED_ANSWER', reason: 'success without the name of a message' },
  origin: { kind: 'failing', code: 'UNEXPECTED_ANSWER' },
}

type Answer = Pick<HttpAnswer, 'status' | 'headers' | 'body'>

/**
 * The classes of FCM's answers. The code of the `FcmError` decides, wherever there is one, and the status otherwise:
 * what stands in front of FCM answers with the same statuses, and knows nothing of devices. `now`: milliseconds since
 * 1970.
 */
export function classifyFcmAnswer({ status, headers, body }: Answer, now: number): PushVerdict {
  if (status >= 200 && status < 300) return classifySuccess(body)
  const fault = parseFcmFault(body)
  const waitMs = parseRetryAfter(headers['retry-after'], now)
  return (fault && classifyFault(fault, waitMs)) ?? classifyStatus(status, fault, waitMs)
}

/** Tells whether FCM refuses the access token. By 401 with a code of its own it says that it has no key for Apple. */
export function isBearerRefusal({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  return status === 401 && parseFcmFault(body)?.errorCode === undefined
}

function classifySuccess(body: Buffer): PushVerdict {
  const name = parseJsonObject(body.toString('utf8'))?.name
  if (typeof name !== 'string' || name === '') return unexpected
  return { result: { kind: 'sent', providerId: name.slice(0, 500) }, origin: { kind: 'accepted' } }
}

/** https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, and the older names of the same. */
function classifyFault(fault: FcmFault, waitMs: number | undefined): PushVerdict | undefined {
  switch (fault.errorCode) {
    case 'UNREGISTERED':
    case 'NOT_FOUND':
      return gone
    case 'SENDER_ID_MISMATCH':
      return wrongSender
    case 'INVALID_ARGUMENT':
      return classifyInvalidArgument(fault)
    case 'THIRD_PARTY_AUTH_ERROR':
    case 'APNS_AUTH_ERROR':
      return thirdPartyAuth
    case 'QUOTA_EXCEEDED':
    case 'RESOURCE_EXHAUSTED':
      return toBusy(fault, waitMs)
    case 'UNAVAILABLE':
    case 'INTERNAL':
      return toUnavailable(waitMs)
    default:
      return undefined
  }
}

function classifyStatus(status: number, fault: FcmFault | undefined, waitMs: number | undefined): PushVerdict {
  if (status === 429) return toBusy(fault, waitMs)
  if (status === 408 || status >= 500) return toUnavailable(waitMs)
  if (status === 400) return fault ? classifyInvalidArgument(fault) : rejected
  if (status === 413) return tooLarge
  if (status === 404 && !fault) return pageNotFound
  return status < 400 || [401, 403, 404].includes(status) ? refused : rejected
}

function classifyInvalidArgument({ message, fields }: FcmFault): PushVerdict {
  const namesAddress = fields.some((field) => field === 'message.token' || field === 'message.fid')
  return namesAddress || message.includes('not a valid FCM registration token') ? invalidToken : rejected
}

/** One device may get too much, which says nothing of the others; the quota of the project is for all of them. */
function toBusy(fault: FcmFault | undefined, waitMs = defaultWaitMs): PushVerdict {
  const code = 'RATE_LIMITED'
  const result = { kind: 'defer', code, delayMs: waitMs } as const
  const isOfDevice = fault?.quotas.some((text) => /\bdevice\b/i.test(text)) ?? false
  if (isOfDevice) return { result, origin: { kind: 'refused', code, waitMs }, wait: { ms: waitMs } }
  return { result, origin: { kind: 'down', code, waitMs } }
}

/** It may have been delivered; the tag keeps it from being shown twice. */
function toUnavailable(waitMs: number | undefined): PushVerdict {
  const code = 'PROVIDER_UNAVAILABLE'
  if (waitMs === undefined) return { result: { kind: 'retry', code }, origin: { kind: 'failing', code } }
  return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'down', code, waitMs } }
}
