import { describeFound } from './describe-found.js'

/**
 * Why a value is not an integer from 1 to 2^53−1, or undefined if it is one. Every JSON parser keeps integers up to
 * there exactly.
 */
export function findPositiveIntegerFault(value: unknown): string | undefined {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return undefined
  return `expected an integer from 1 to ${Number.MAX_SAFE_INTEGER}, found ${describeNumber(value)}`
}

function describeNumber(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return describeFound(value)
  if (value <= 0) return value === 0 ? 'zero' : 'a negative number'
  return Number.isInteger(value) ? 'a larger number' : 'a fraction'
}
