import { type KeyObject, sign } from 'node:crypto'

/** A JSON Web Token (RFC 7519) that is signed with RS256. */
export function signToken(keyId: string, claims: object, privateKey: KeyObject): string {
  const content = [{ alg: 'RS256', typ: 'JWT', kid: keyId }, claims].map(encode).join('.')
  return `${content}.${sign('sha256', Buffer.from(content), privateKey).toString('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
