import { findAddressFault, toAsciiDomain, toWireAddress } from '@mono/contracts'
import { isAsciiBeforeAt } from './is-ascii-before-at.js'

/** So that no line of a header gets too long: a name in plain letters is not folded inside a word. */
const maxNameLength = 200

/** Whom mails are from, or where answers go. */
export interface Sender {
  /** What mail programs show; absent if only an address was given. */
  name?: string
  /** As it goes to the mail server. */
  address: string
}

/**
 * Reads `ada@example.com` or `Ada <ada@example.com>`; quotes around the name are taken away.
 *
 * @throws Error that says what was expected
 */
export function parseSender(text: string): Sender {
  const parts = /^(?<name>[^<>]*)<(?<address>[^<>]*)>$/.exec(text)?.groups
  const given = (parts?.address ?? text).trim()
  const name = (parts?.name ?? '').trim().replace(/^"(.*)"$/, '$1')
  const fault = findAddressFault(given)
  if (fault !== undefined) throw new Error(fault)
  const address = toWireAddress(given)
  if (/\p{Control}/u.test(name)) throw new Error('expected a name without control characters')
  if (name.length > maxNameLength) throw new Error(`expected a name of at most ${maxNameLength} characters`)
  return name === '' ? { address } : { name, address }
}

/**
 * The same. It stands in a header only: the server is not asked whether it takes other letters than ASCII, and a domain
 * has an ASCII form, the part before the `@` has none.
 *
 * @throws Error that says what was expected
 */
export function parseReplyTo(text: string): Sender {
  const sender = parseSender(text)
  if (!isAsciiBeforeAt(sender.address)) throw new Error('expected ASCII before the @')
  return sender
}

/** In ASCII, as headers need it; empty if it is none. */
export function domainOf(address: string): string {
  return toAsciiDomain(address.slice(address.lastIndexOf('@') + 1))
}
