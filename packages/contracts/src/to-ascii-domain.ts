import { domainToASCII } from 'node:url'

/**
 * A domain as DNS knows it, in ASCII and lower case (UTS 46); empty if it is none. What ends in a number is none: it is
 * read as an IP address in one of its many forms (`0x7f.1` is 127.0.0.1), and no top-level domain is a number.
 */
export function toAsciiDomain(domain: string): string {
  // `domainToASCII` reads the host of a URL: it would decode `%41`, and take what looks like a number for an IP address.
  const ascii = /^[!-~]*$/.test(domain)
    ? domain.toLowerCase()
    : /[!-,/:-@[-^`{-~]/.test(domain)
      ? ''
      : // Marks that stand in another order are the same text, which it does not always see.
        domainToASCII(domain.normalize('NFC'))
  return ascii.length <= maxLength && labels.test(ascii) && !number.test(ascii) ? ascii : ''
}

/** Of the whole, in octets (RFC 1035, section 2.3.4), without the dot of the root. */
const maxLength = 253

const labels = /^[a-z\d_-]{1,63}(\.[a-z\d_-]{1,63})*$/

/** The last label, in decimal or hexadecimal. */
const number = /(?:^|\.)(?:\d+|0x[\da-f]*)$/
