import { findAddressFormFault } from './find-address-form-fault.js'
import { limits } from './limits.js'
import { toWireAddress } from './to-wire-address.js'

/** In octets (RFC 5321, section 4.5.3.1.1). */
const maxLocalLength = 64

/**
 * Why a value is not one email address that can be written to, or undefined if it is one. It has the form of one, and a
 * mail server can carry it: its domain has an ASCII form that is no IP address, and no part is too long as it is sent.
 * Every address without a fault has a normal form, and no other has one.
 */
export function findAddressFault(value: unknown): string | undefined {
  const fault = findAddressFormFault(value)
  if (fault !== undefined || typeof value !== 'string') return fault
  const sent = toWireAddress(value)
  const at = sent.lastIndexOf('@')
  if (at === sent.length - 1) return 'expected a domain name after the @, found none'
  const localLength = Buffer.byteLength(sent.slice(0, at))
  if (localLength > maxLocalLength) {
    return `expected at most ${maxLocalLength} octets before the @, found ${localLength}`
  }
  const length = localLength + sent.length - at
  if (length > limits.addressLength) return `expected at most ${limits.addressLength} octets, found ${length}`
  // NFC makes semicolons and blanks of some characters.
  return findAddressFormFault(sent)
}
