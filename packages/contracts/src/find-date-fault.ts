import { describeFound } from './describe-found.js'
import { isInRange } from './to-date.js'

/** Why a value is not a Date in the years 0001 to 9999, which ISO 8601 and PostgreSQL both can write, or undefined. */
export function findDateFault(value: unknown): string | undefined {
  if (!(value instanceof Date)) return `expected a Date, found ${describeFound(value)}`
  if (isInRange(value.getTime())) return undefined
  return `expected a valid Date in the years 0001 to 9999, found ${describeFound(value)}`
}
