import { isJsonObject, type JsonObject, parseJsonObject } from '@mono/http-client'

/** An error in Google's form (AIP-193), as far as it is used. */
export interface FcmFault {
  /** FCM's own code, from the `FcmError` among the details. A server in front of FCM gives none. */
  errorCode: string | undefined
  message: string
  /** The fields that a `BadRequest` among the details names. */
  fields: string[]
  /** The subjects and descriptions of a `QuotaFailure` among the details. */
  quotas: string[]
}

/** Returns undefined for a body that is not the JSON of such an error. */
export function parseFcmFault(body: Buffer): FcmFault | undefined {
  const error = parseJsonObject(body.toString('utf8'))?.error
  if (!isJsonObject(error)) return undefined
  const details = listOf(error.details)
  const ofType = (type: string) => details.filter((detail) => detail['@type'] === `type.googleapis.com/${type}`)
  const [fcmError] = ofType('google.firebase.fcm.v1.FcmError')
  const violations = ofType('google.rpc.BadRequest').flatMap(({ fieldViolations }) => listOf(fieldViolations))
  const quotas = ofType('google.rpc.QuotaFailure').flatMap((failure) => listOf(failure.violations))
  return {
    errorCode: typeof fcmError?.errorCode === 'string' ? fcmError.errorCode : undefined,
    message: String(error.message),
    fields: violations.map(({ field }) => String(field)),
    quotas: quotas.flatMap(({ subject, description }) => [String(subject), String(description)]),
  }
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
