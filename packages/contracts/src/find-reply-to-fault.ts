import { findAddressFault } from './find-address-fault.js'

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
  return other === -1 ? undefined : `expected ASCII before the @, found another character at index ${other}`
}
