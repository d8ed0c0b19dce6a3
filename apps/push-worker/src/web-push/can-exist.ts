import { isIP } from 'node:net'

/**
 * Names that lead nowhere in the public DNS, by promise: RFC 6761 (`invalid`, `test`, `example`, `localhost`), RFC 6762
 * (`local`), RFC 7686 (`onion`), RFC 9476 (`alt`). Chromium gives endpoints at `permanently-removed.invalid`.
 */
const reservedSuffixes = ['invalid', 'test', 'example', 'localhost', 'local', 'onion', 'alt']

/**
 * Whether there can be such a host on the public internet: an address, or a name of two labels at least, none of them
 * empty or too long, that is not reserved. The host is written as `URL.hostname` does it.
 */
export function canExist(host: string): boolean {
  if (isIP(host.replace(/^\[(.*)\]$/, '$1'))) return true
  const name = host.replace(/\.$/, '')
  const labels = name.split('.')
  if (labels.length < 2 || name.length > 253) return false
  if (labels.some((label) => label === '' || label.length > 63)) return false
  return !reservedSuffixes.includes(labels.at(-1) ?? '')
}
