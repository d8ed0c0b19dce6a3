import { toAsciiDomain } from './to-ascii-domain.js'

/**
 * An address as it goes to a mail server: the part before the `@` in NFC (RFC 6530, section 10.1), and a domain in other
 * letters than ASCII in its ASCII form, which every server takes. The rest stays as it was given, so that a server that
 * tells `Ada` from `ada` gets what was meant. Without a domain if it has no ASCII form.
 */
export function toWireAddress(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const ascii = toAsciiDomain(domain)
  return `${address.slice(0, at).normalize('NFC')}@${ascii !== '' && isAscii(domain) ? domain : ascii}`
}

// `toLowerCase` would not tell: it makes an ASCII letter of the Kelvin sign.
function isAscii(text: string): boolean {
  return /^[!-~]*$/.test(text)
}
