import { toAsciiDomain } from './to-ascii-domain.js'

/** In octets (RFC 5321, section 4.5.3.1.3, less the angle brackets of a path). */
const maxLength = 254

/** In octets (RFC 5321, section 4.5.3.1.1). */
const maxLocalLength = 64

/**
 * Why a text must not be given to a mail library as one address, or undefined. Mail libraries parse an address as a
 * list: `x@y.z, evil@z.z` would be two recipients, `x(y)@z.z` another one, and a line break another SMTP command.
 *
 * An address that no server can carry is faulty too: a part of it is too long as it is sent, or its domain has no ASCII form.
 */
export function findAddressFault(address: string): string | undefined {
  if (address.length > maxLength) return `expected at most ${maxLength} characters, found ${address.length}`
  if (/[\p{Control}\s]/u.test(address)) return 'expected no white space and no control characters'
  if (/[,;:<>()[\]\\"]/.test(address)) return 'expected none of , ; : < > ( ) [ ] \\ "'
  if (!/^[^@]+@[^@]+$/.test(address)) return 'expected one @ with something on both sides'
  return findPartFault(localPartOf(address), address.slice(address.indexOf('@') + 1))
}

function findPartFault(local: string, domain: string): string | undefined {
  const localLength = Buffer.byteLength(local)
  if (localLength > maxLocalLength)
    return `expected at most ${maxLocalLength} octets before the @, found ${localLength}`
  const ascii = toAsciiDomain(domain)
  if (ascii === '') return 'expected a domain after the @'
  const length = localLength + 1 + ascii.length
  return length > maxLength ? `expected at most ${maxLength} octets, found ${length}` : undefined
}

/** Else only a server with SMTPUTF8 (RFC 6531) takes the address. */
export function isAsciiBeforeAt(address: string): boolean {
  return /^[!-~]*$/.test(localPartOf(address))
}

function localPartOf(address: string): string {
  return address.slice(0, address.indexOf('@'))
}
