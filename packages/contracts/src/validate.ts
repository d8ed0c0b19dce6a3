import type { z } from 'zod'
import type { MessageType } from './catalog.js'
import { describeFound } from './describe-found.js'
import { formatPath } from './format-path.js'
import { InvalidMessageError, type MessageIssue } from './invalid-message-error.js'
import { limits } from './limits.js'

/** What to do about fields that a strict schema does not know; part of the error's message. */
export type AdviseOnUnknown = (names: readonly string[]) => string

/**
 * What a schema makes of a value.
 *
 * @throws InvalidMessageError if the value does not fit, with every fault
 */
export function validate<S extends z.ZodObject>(
  type: MessageType,
  schema: S,
  value: unknown,
  adviseOnUnknown?: AdviseOnUnknown,
): z.output<S> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidMessageError(type, [{ path: '', reason: `expected an object, found ${describeFound(value)}` }])
  }
  const result = schema.safeParse(value, errorMap)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap(toMessageIssues).slice(0, limits.maxIssues)
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
  throw new InvalidMessageError(type, issues, unknown.length === 0 ? undefined : adviseOnUnknown?.(unknown))
}

const errorMap = { error: toReason }

function toReason(issue: z.core.$ZodRawIssue): string {
  const found = describeFound(issue.input)
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.join(', ')}, found ${found}`
  return `expected something else, found ${found}`
}

function toMessageIssues(issue: z.core.$ZodIssue): MessageIssue[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: formatPath(issue.path), reason: issue.message }]
  return issue.keys.map((key) => ({
    path: formatPath([...issue.path, key]),
    reason: 'expected no such field, found one',
  }))
}
