import { z } from 'zod'
import { describeFound } from './describe-found.js'
import { findAddressFault } from './find-address-fault.js'
import { findAddressFormFault } from './find-address-form-fault.js'
import { findDateFault } from './find-date-fault.js'
import { findIdFault } from './find-id-fault.js'
import { findPositiveIntegerFault } from './find-positive-integer-fault.js'
import { findRecordFaults, type JsonRecord, type NestedFault } from './find-record-faults.js'
import { findReplyToFault } from './find-reply-to-fault.js'
import { findTextFault } from './find-text-fault.js'
import { limits } from './limits.js'
import { findPushDataFaults } from './push-data.js'
import { toDate } from './to-date.js'

type FindFault = (value: unknown) => string | undefined

/** A field of one value, refused for one reason. */
export function createField<T>(findFault: FindFault): z.ZodCustom<T, T> {
  return z.custom<T>((value) => findFault(value) === undefined, {
    error: (issue) => findFault(issue.input) ?? '',
    // With abort, one faulty field would keep the rules about several fields from being checked.
    abort: false,
  })
}

/** A field that holds many values, refused for as many reasons, each with its path. The value is passed on as it is. */
function createNestedField<T>(findFaults: (value: unknown) => readonly NestedFault[]): z.ZodType<T, T> {
  const schema: z.ZodType = z.unknown().check(({ value, issues }) => {
    for (const { path, reason } of findFaults(value)) {
      issues.push({ code: 'custom', input: value, path, message: reason })
    }
  })
  return schema as z.ZodType<T, T>
}

function findListFaults(value: unknown, max: number, findFault: FindFault): NestedFault[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > max) {
    return [{ path: [], reason: `expected an array of 1 to ${max}, found ${describeFound(value)}` }]
  }
  const faults: NestedFault[] = []
  for (let index = 0; index < value.length && faults.length < limits.maxIssues; index += 1) {
    const reason = findFault(value[index])
    if (reason !== undefined) faults.push({ path: [index], reason })
  }
  return faults
}

export const id = createField<string>(findIdFault)
export const tenantId = createField<number>(findPositiveIntegerFault)
export const positiveInteger = createField<number>(findPositiveIntegerFault)
export const text = createField<string>((value) => findTextFault(value))
export const content = createField<string>((value) => findTextFault(value, limits.contentBytes))
export const record = createNestedField<JsonRecord>(findRecordFaults)
export const pushData = createNestedField<JsonRecord>(findPushDataFaults)
/** A record that may be left out; then it is an empty one. */
export const recordOrNone = record.default(() => ({}))
export const recipients = createNestedField<string[]>((value) =>
  findListFaults(value, limits.maxRecipients, findIdFault),
)
export const replyTo = createField<string>(findReplyToFault)
/** As they are taken from others: of a thousand, one that no server can carry fails alone, when its turn comes. */
export const addresses = createNestedField<string[]>((value) =>
  findListFaults(value, limits.maxAddresses, findAddressFormFault),
)
/** As they are sent. */
export const normalizableAddresses = createNestedField<string[]>((value) =>
  findListFaults(value, limits.maxAddresses, findAddressFault),
)

/** A point in time: text on the wire, `Date` in TypeScript, whole milliseconds. */
export const date = z.codec(z.unknown(), createField<Date>(findDateFault), {
  decode(text, context) {
    const value = toDate(text)
    if (value !== undefined) return value
    const expected = 'expected an ISO 8601 date and time with offset such as 2025-03-01T12:00:00Z'
    context.issues.push({ code: 'custom', input: text, message: `${expected}, found ${describeFound(text)}` })
    return z.NEVER
  },
  encode: (value) => value.toISOString(),
})

/** The same, the other way round: `Date` in, text out. */
export const dateToText = z.invertCodec(date)
