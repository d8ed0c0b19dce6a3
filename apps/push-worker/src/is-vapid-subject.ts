import { isIP } from 'node:net'
import { canExist } from './web-push/can-exist.js'

/**
 * Whether push services take it as `sub` (RFC 8292, section 2.1). Apple is the strictest: it refuses every push,
 * `BadJwtToken`, unless the subject is `mailto:` and one plain address, or an `https:` URL, at a public domain name.
 */
export function isVapidSubject(text: string): boolean {
  // What the parser of URLs would mend, Apple sees as it is.
  if (/[\s<>"\\]/.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (protocol === 'https:') return text.startsWith('https://') && `${username}${password}` === '' && isPublic(hostname)
  const [, domain] = /^mailto:[^@,;:?#()[\]%/]+@([^@,;:?#()[\]%/]+)$/.exec(text) ?? []
  return domain !== undefined && URL.canParse(`https://${domain}`) && isPublic(new URL(`https://${domain}`).hostname)
}

function isPublic(host: string): boolean {
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 && !host.endsWith('.') && canExist(host)
}
