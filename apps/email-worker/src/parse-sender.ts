import { domainToASCII } from 'node:url'
import { findAddressFault } from './find-address-fault.js'

/** Whom mails are from. */
export interface Sender {
  /** What mail programs show; absent if only an address was given. */
  name?: string
  address: string
}

/**
 * Reads `ada@example.com` or `Ada <ada@example.com>`; quotes around the name are taken away.
 *
 * @throws Error that says what was expected
 */
export function parseSender(text: string): Sender {
  const parts = /^(?<name>[^<>]*)<(?<address>[^<>]*)>$/.exec(text)?.groups
  const address = (parts?.address ?? text).trim()
  const name = (parts?.name ?? '').trim().replace(/^"(.*)"$/, '$1')
  const fault = findAddressFault(address) ?? (domainOf(address) === '' ? 'expected a domain after the @' : undefined)
  if (fault !== undefined) throw new Error(fault)
  if (/\p{Control}/u.test(name)) throw new Error('expected a name without control characters')
  return name === '' ? { address } : { name, address }
}

/** In ASCII, as headers need it; empty if it is none. */
export function domainOf(address: string): string {
  return domainToASCII(address.slice(address.lastIndexOf('@') + 1))
}
