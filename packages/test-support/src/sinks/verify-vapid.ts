import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { PushRefusal } from './push-refusal.js'

export interface VapidExpectation {
  /** Origin of the endpoint, as the client addressed it. */
  audience: string
  /** Base64url. The key the subscription is restricted to. Default: any. */
  publicKey?: string | undefined
}

const maxAheadSeconds = 24 * 3600
const maxRememberedTokens = 1_000

/**
 * Checks the `Authorization` header of RFC 8292: `vapid t=<token>, k=<key>`. A signature is verified once per token,
 * because senders use a token for many messages; the claims are checked each time.
 */
export function createVapidVerifier(): (authorization: string | undefined, expected: VapidExpectation) => void {
  const verified = new Map<string, Claims>()
  return (authorization, expected) => {
    const { token, key } = parseAuthorization(authorization)
    const claims = verified.get(authorization ?? '') ?? verifyToken(token, key)
    if (verified.size >= maxRememberedTokens) verified.clear()
    verified.set(authorization ?? '', claims)
    checkClaims(claims, expected.audience)
    if (expected.publicKey !== undefined && expected.publicKey !== key) {
      throw new PushRefusal(403, 'The key of `k` is not the one the subscription was made with')
    }
  }
}

interface Claims {
  aud?: unknown
  exp?: unknown
  sub?: unknown
}

function parseAuthorization(authorization: string | undefined): { token: string; key: string } {
  if (!authorization) throw new PushRefusal(401, 'Expected an Authorization header, found none')
  const [, list] = /^vapid +(.+)$/i.exec(authorization) ?? []
  if (!list) throw new PushRefusal(401, 'Expected Authorization to be `vapid t=<token>, k=<key>`')
  const parameters = new Map(list.split(',').map((item) => splitOnce(item.trim(), '=')))
  const token = parameters.get('t')
  const key = parameters.get('k')
  if (!token || !key) throw new PushRefusal(401, 'Expected the parameters `t` and `k` in Authorization')
  return { token, key }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function verifyToken(token: string, key: string): Claims {
  const parts = token.split('.')
  if (parts.length !== 3) throw new PushRefusal(403, 'The token is not a signed JWT')
  const [header = '', payload = '', signature = ''] = parts
  const { alg } = parseJson(header) as { alg?: unknown }
  if (alg !== 'ES256') throw new PushRefusal(403, `Expected the token to be signed with ES256, found ${alg}`)
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: toPublicKey(key), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!isGenuine) throw new PushRefusal(403, 'The signature of the token does not fit the key of `k`')
  return parseJson(payload) as Claims
}

function parseJson(base64url: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString())
    if (typeof value === 'object' && value) return value
  } catch {
    // The same refusal as for JSON that is no object.
  }
  throw new PushRefusal(403, 'Header and claims of the token must be JSON objects')
}

/** An uncompressed point: 0x04, x, y. */
function toPublicKey(base64url: string): KeyObject {
  const point = Buffer.from(base64url, 'base64url')
  try {
    if (point.length !== 65 || point[0] !== 4) throw new Error('not an uncompressed point')
    const x = point.subarray(1, 33).toString('base64url')
    const y = point.subarray(33).toString('base64url')
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  } catch {
    throw new PushRefusal(403, 'The key of `k` is not a point of P-256')
  }
}

function checkClaims({ aud, exp, sub }: Claims, audience: string): void {
  const now = Date.now() / 1000
  if (aud !== audience) throw new PushRefusal(403, `Expected the audience ${audience}, found ${String(aud)}`)
  if (typeof exp !== 'number') throw new PushRefusal(403, 'The token has no numeric `exp`')
  if (exp <= now) throw new PushRefusal(403, 'The token has expired')
  if (exp > now + maxAheadSeconds) throw new PushRefusal(403, 'The token expires more than 24 hours from now')
  if (sub !== undefined && !/^(mailto:|https:)/.test(String(sub))) {
    throw new PushRefusal(403, 'The subject is neither a mailto: nor an https: URI')
  }
}
