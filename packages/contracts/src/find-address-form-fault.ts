import { describeFound } from './describe-found.js'
import { limits } from './limits.js'

// Characters with a meaning in an address header (RFC 5322, section 3.2.3) are refused, quoted or not: with them one
// string could name several recipients or inject a header.
const address = /^[^\s\p{Control}\p{Surrogate}@,;:<>()[\]"\\]+@[^\s\p{Control}\p{Surrogate}@,;:<>()[\]"\\]+$/u
const emptyLabel = /^\.|\.\.|\.$/

/**
 * Why a value has not the form of one plain email address, or undefined if it has: `name@domain`, no display name, no
 * quotes, no comments. Non-ASCII letters are allowed (RFC 6531). What has not this form could do harm to whoever handles
 * it; what has it may still be an address that no server can carry, see `findAddressFault`.
 */
export function findAddressFormFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return `expected an email address, found ${describeFound(value)}`
  if (value.length > limits.addressLength) {
    return `expected an email address of at most ${limits.addressLength} characters, found ${value.length}`
  }
  if (address.test(value) && !emptyLabel.test(value.slice(value.indexOf('@') + 1))) return undefined
  return `expected one email address such as name@example.com, found ${describeFound(value)}`
}
