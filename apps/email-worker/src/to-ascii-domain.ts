import { domainToASCII } from 'node:url'

/** A domain as DNS knows it, in ASCII and lower case (UTS 46); empty if it is none. */
export function toAsciiDomain(domain: string): string {
  // `domainToASCII` reads the host of a URL: it would decode `%41`, and take what looks like a number for an IP address.
  const ascii = /^[!-~]*$/.test(domain)
    ? domain.toLowerCase()
    : /[!-,/:-@[-^`{-~]/.test(domain)
      ? ''
      : domainToASCII(domain)
  return ascii.length <= maxLength && labels.test(ascii) ? ascii : ''
}

/** Of the whole, in octets (RFC 1035, section 2.3.4), without the dot of the root. */
const maxLength = 253

const labels = /^[a-z\d_-]{1,63}(\.[a-z\d_-]{1,63})*$/
