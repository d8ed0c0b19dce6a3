import type { PushReply } from './push-answer.js'

export interface FcmErrorOptions {
  /** The code of FCM's own, in an `FcmError`. Without it the error is that of a server in front of FCM. */
  errorCode?: string
  message?: string
  /** A field that a `BadRequest` names. */
  field?: string
  /** A quota that a `QuotaFailure` names. */
  quota?: { subject: string; description: string }
  retryAfter?: number
}

const statusNames: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

const typed = (type: string, fields: object) => ({ '@type': `type.googleapis.com/${type}`, ...fields })

/** An error in Google's form (AIP-193), as an answer. */
export function createFcmError(status: number, options: FcmErrorOptions = {}): PushReply {
  const { errorCode, message = `It failed with ${status}.`, field, quota, retryAfter } = options
  const details = [
    ...(errorCode === undefined ? [] : [typed('google.firebase.fcm.v1.FcmError', { errorCode })]),
    ...(field === undefined
      ? []
      : [typed('google.rpc.BadRequest', { fieldViolations: [{ field, description: message }] })]),
    ...(quota === undefined ? [] : [typed('google.rpc.QuotaFailure', { violations: [quota] })]),
  ]
  const error = { code: status, message, status: statusNames[status] ?? 'UNKNOWN', details }
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ error }, undefined, 2),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** FCM does not take a message, and answers this. */
export class FcmRefusal extends Error {
  override readonly name = 'FcmRefusal'
  readonly answer: PushReply

  constructor(answer: PushReply, reason: string) {
    super(reason)
    this.answer = answer
  }
}

/** Always throws. @throws FcmRefusal */
export function refuse(status: number, options: FcmErrorOptions & { message: string }): never {
  throw new FcmRefusal(createFcmError(status, options), options.message)
}
