import { z } from 'zod'
import { describeFound } from './describe-found.js'

const timeWithOffset = /^T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/
const firstInstant = Date.parse('0001-01-01T00:00:00Z')
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z')

/** Why a value is not a Date in the years 0001 to 9999, which ISO 8601 and PostgreSQL both can write, or undefined. */
export function findDateFault(value: unknown): string | undefined {
  if (!(value instanceof Date)) return `expected a Date, found ${describeFound(value)}`
  if (isInRange(value.getTime())) return undefined
  return `expected a valid Date in the years 0001 to 9999, found ${describeFound(value)}`
}

/**
 * Why a value is not a point in time as ISO 8601 writes it, or undefined if it is one: date and time in extended form
 * with `Z` or an offset, such as `2025-03-01T12:00:00.000+01:00`; seconds and their fraction may be left out.
 */
export function findDateTextFault(value: unknown): string | undefined {
  if (typeof value === 'string' && isDateText(value) && isInRange(Date.parse(value))) return undefined
  return `expected an ISO 8601 date and time with offset such as 2025-03-01T12:00:00Z, found ${describeFound(value)}`
}

function isDateText(value: string): boolean {
  return timeWithOffset.test(value.slice(10)) && z.regexes.date.test(value.slice(0, 10))
}

function isInRange(time: number): boolean {
  return time >= firstInstant && time <= lastInstant
}
