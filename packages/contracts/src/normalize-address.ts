import { findAddressFault } from './find-address-fault.js'
import { toWireAddress } from './to-wire-address.js'

/**
 * The normal form of an email address: two addresses with the same one are the same recipient. The email worker compares
 * addresses in no other form, so whoever keeps addresses that it reads (`email.suppressions`) keeps them in this one.
 *
 * - The domain is mapped by UTS 46 to ASCII in lower case, as DNS knows it: `ｅxample.com` and `EXAMPLE.com` are
 *   `example.com`, `bücher.example` is `xn--bcher-kva.example`.
 * - The part before the `@` (RFC 6531) is in NFC, with the letters `A` to `Z` in lower case. Other letters keep their
 *   case, as only the receiving server knows whether it counts.
 *
 * Nothing else is done: dots and plus tags stay, because they tell mailboxes apart at most servers.
 *
 * @throws Error if the address has none: it is not one address, its domain has no ASCII form or is an IP address, or it
 *   is too long to be sent
 */
export function normalizeAddress(address: string): string {
  const fault = findAddressFault(address)
  if (fault !== undefined) throw new Error(`The address has no normal form: ${fault}`)
  const sent = toWireAddress(address)
  // A small letter composes with marks with which its capital does not: `J̌` stays two characters, `ǰ` is one.
  return sent.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()).normalize('NFC')
}
