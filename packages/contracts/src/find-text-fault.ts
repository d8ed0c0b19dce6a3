import { describeFound } from './describe-found.js'
import { limits } from './limits.js'

const loneSurrogate = /\p{Surrogate}/u

/**
 * Why a value is not a string that every consumer can store, or undefined if it is one. PostgreSQL stores neither
 * `\u0000` nor lone surrogates, and a lone surrogate has no UTF-8 form.
 *
 * @param maxBytes longest accepted, in bytes of UTF-8; by default what a whole body may have
 */
export function findTextFault(value: unknown, maxBytes: number = limits.bodyBytes): string | undefined {
  if (typeof value !== 'string') return `expected a string, found ${describeFound(value)}`
  // A UTF-16 unit takes 1 to 3 bytes of UTF-8, so most strings need no counting.
  if (value.length > maxBytes) return `expected at most ${maxBytes} bytes, found ${value.length} characters`
  if (value.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(value)
    if (bytes > maxBytes) return `expected at most ${maxBytes} bytes, found ${bytes}`
  }
  return findCharacterFault(value)
}

/** Why a string holds a character that cannot be stored, or undefined. */
export function findCharacterFault(value: string): string | undefined {
  const zero = value.indexOf('\u0000')
  if (zero !== -1) return `expected no \\u0000, found one at index ${zero}`
  const surrogate = value.search(loneSurrogate)
  if (surrogate !== -1) return `expected well-formed Unicode, found a lone surrogate at index ${surrogate}`
  return undefined
}
