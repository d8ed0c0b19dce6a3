import { findAddressFault } from './find-address-fault.js'

/** Longest local part, in octets (RFC 5321, section 4.5.3.1.1). */
const maxLocalOctets = 64

/**
 * Why a value is not an address that answers can go to, or undefined if it is one. It stands in a header, and a header
 * may hold other letters than ASCII only if every server up to the recipient's takes such (RFC 6532): a domain has an
 * ASCII form, the part before the `@` has none.
 */
export function findReplyToFault(value: unknown): string | undefined {
  const fault = findAddressFault(value)
  if (fault !== undefined || typeof value !== 'string') return fault
  const local = value.slice(0, value.indexOf('@'))
  const other = local.search(/[^!-~]/)
  if (other !== -1) return `expected ASCII before the @, found another character at index ${other}`
  if (local.length > maxLocalOctets) {
    return `expected at most ${maxLocalOctets} characters before the @, found ${local.length}`
  }
  return undefined
}
