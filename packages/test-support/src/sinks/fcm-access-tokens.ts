import { type KeyObject, verify } from 'node:crypto'
import { createIssuedTokens, type IssuedTokens, toTokenReply } from './issued-tokens.js'
import type { PushReply } from './push-answer.js'

export interface FcmAccessTokensOptions {
  /** The public key of the service account. */
  publicKey: KeyObject
  privateKeyId: string
  clientEmail: string
  /** Assertions may be meant for one of these. */
  audiences: readonly string[]
  /** Milliseconds since 1970. */
  now(): number
}

/** The access tokens that Google's token endpoint has given out. */
export interface FcmAccessTokens extends Omit<IssuedTokens, 'issue'> {
  /** Answers a request for an access token (RFC 7523), which is in order or gets 400. */
  grant(body: string): { answer: PushReply; reason: string | undefined }
}

/** Google lets clocks differ by some minutes. */
const maxSkewSeconds = 5 * 60
const maxLifetimeSeconds = 60 * 60
const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const scope = 'https://www.googleapis.com/auth/firebase.messaging'

class Refusal extends Error {}

export function createFcmAccessTokens(options: FcmAccessTokensOptions): FcmAccessTokens {
  const { issue, ...issued } = createIssuedTokens(options.now)
  return {
    ...issued,
    grant(body) {
      try {
        checkRequest(new URLSearchParams(body), options)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const refusal = { error: 'invalid_grant', error_description: error.message }
        return { answer: toTokenReply(400, refusal), reason: error.message }
      }
      return { answer: issue(), reason: undefined }
    },
  }
}

function checkRequest(form: URLSearchParams, options: FcmAccessTokensOptions): void {
  if (form.get('grant_type') !== grantType) throw new Refusal(`Expected the grant type ${grantType}`)
  const parts = (form.get('assertion') ?? '').split('.')
  const [header = '', claims = '', signature = ''] = parts
  if (parts.length !== 3) throw new Refusal('The assertion is not a signed JWT')
  const { alg, kid } = parse(header)
  if (alg !== 'RS256') throw new Refusal(`Expected RS256, found ${String(alg)}`)
  // It may be left out; then each key of the account is tried.
  if (kid !== undefined && kid !== options.privateKeyId) throw new Refusal('The service account has no such key')
  const content = Buffer.from(`${header}.${claims}`)
  if (!verify('sha256', content, options.publicKey, Buffer.from(signature, 'base64url'))) {
    throw new Refusal('Invalid JWT Signature.')
  }
  checkClaims(parse(claims), options)
}

function checkClaims(claims: Record<string, unknown>, { clientEmail, audiences, now }: FcmAccessTokensOptions): void {
  const { iss, aud, iat, exp } = claims
  if (iss !== clientEmail) throw new Refusal('Invalid issuer: Not a valid email.')
  if (!String(claims.scope).split(' ').includes(scope)) throw new Refusal(`Expected the scope ${scope}`)
  if (!audiences.includes(String(aud))) throw new Refusal(`Expected the audience ${audiences[0]}, found ${String(aud)}`)
  const isLifetime = typeof iat === 'number' && typeof exp === 'number' && exp - iat <= maxLifetimeSeconds
  if (!isLifetime || Math.abs(now() / 1000 - iat) > maxSkewSeconds || exp <= now() / 1000) {
    throw new Refusal(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    )
  }
}

function parse(base64url: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(Buffer.from(base64url, 'base64url').toString()) }
  } catch {
    throw new Refusal('Header and claims must be JSON')
  }
}
