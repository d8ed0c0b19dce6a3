import { sign } from 'node:crypto'
import type { ServiceAccount } from './service-account.js'

const scope = 'https://www.googleapis.com/auth/firebase.messaging'

/** Google takes no assertion that is for longer. */
const lifetimeSeconds = 60 * 60

/** Makes the JWT that asks for an access token (RFC 7523, section 3). `now`: milliseconds since 1970. */
export function signAssertion(
  { clientEmail, privateKeyId, privateKey, tokenUri }: ServiceAccount,
  now: number,
): string {
  const iat = Math.floor(now / 1000)
  const header = { alg: 'RS256', typ: 'JWT', kid: privateKeyId }
  const claims = { iss: clientEmail, scope, aud: tokenUri.href, iat, exp: iat + lifetimeSeconds }
  const content = [header, claims].map(encode).join('.')
  return `${content}.${sign('sha256', Buffer.from(content), privateKey).toString('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
