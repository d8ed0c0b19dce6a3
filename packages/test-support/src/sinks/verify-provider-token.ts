import { verify } from 'node:crypto'
import type { ApnsKey } from './apns-key.js'
import { ApnsRefusal } from './apns-refusal.js'

/** The two parts of a token that are read. */
export interface ProviderToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** It says which tokens a connection has seen. Each connection begins with an empty one. */
export interface TokenHistory {
  /** The key of the first token: no other may be used on the connection. */
  keyId?: string
  /** The token that is used. */
  token?: string
  /** Seconds since 1970. */
  issuedAt?: number
  /** Too many tokens were used, and none is good any more. */
  isSpoilt?: boolean
}

export interface ProviderTokenVerifierOptions {
  keys: readonly ApnsKey[]
  environment: 'production' | 'sandbox'
  /** True: a connection may have new tokens as often as it likes. */
  manyTokens: boolean
  /** Milliseconds since 1970, by the service's clock. */
  now(): number
}

const hourSeconds = 60 * 60
const leastSeconds = 20 * 60

/**
 * Checks `authorization: bearer <token>` as Apple does (Establishing a token-based connection to APNs), and writes down
 * in the connection's history what it has seen. A signature is verified each time.
 *
 * @throws ApnsRefusal
 */
export function createProviderTokenVerifier(
  options: ProviderTokenVerifierOptions,
): (authorization: string | undefined, history: TokenHistory) => ProviderToken {
  const { keys, environment, manyTokens, now } = options

  function checkIssue({ iss, iat }: ProviderToken['claims'], { teamId }: ApnsKey): number {
    if (iss !== teamId) throw invalid(`expected iss to be ${teamId}, found ${String(iss)}`)
    if (typeof iat !== 'number' || !Number.isInteger(iat)) {
      throw invalid(`expected iat to be whole seconds, found ${String(iat)}`)
    }
    const age = now() / 1000 - iat
    if (age >= 0 && age <= hourSeconds) return iat
    throw new ApnsRefusal(403, 'ExpiredProviderToken', `expected iat to be in the last hour, found ${age} s ago`)
  }

  function checkHistory(history: TokenHistory, token: string, keyId: string, issuedAt: number): void {
    if (history.keyId !== undefined && history.keyId !== keyId) {
      throw new ApnsRefusal(403, 'UnrelatedKeyIdInToken', `expected the key ${history.keyId}, found ${keyId}`)
    }
    const isNew = history.token !== undefined && history.token !== token
    if (isNew && !manyTokens && issuedAt - Number(history.issuedAt) < leastSeconds) history.isSpoilt = true
    if (history.isSpoilt) throw new ApnsRefusal(429, 'TooManyProviderTokenUpdates', 'found a new one within 20 minutes')
  }

  return (authorization, history) => {
    const [, token] = /^bearer (.+)$/i.exec(authorization ?? '') ?? []
    if (token === undefined)
      throw new ApnsRefusal(403, 'MissingProviderToken', 'expected authorization: bearer <token>')
    const parts = token.split('.')
    const [head = '', claimed = '', signature = ''] = parts
    if (parts.length !== 3) throw invalid('expected a signed JWT')
    const header = parseObject(head)
    const claims = parseObject(claimed)
    const key = keys.find(({ keyId }) => keyId === header.kid)
    if (header.alg !== 'ES256') throw invalid(`expected alg to be ES256, found ${String(header.alg)}`)
    if (!key) throw invalid(`expected kid to be a key of the team, found ${String(header.kid)}`)
    const publicKey = { key: key.publicKey, dsaEncoding: 'ieee-p1363' as const }
    const isGenuine = verify(
      'sha256',
      Buffer.from(`${head}.${claimed}`),
      publicKey,
      Buffer.from(signature, 'base64url'),
    )
    if (!isGenuine) throw invalid('expected a signature by the key of kid')
    const issuedAt = checkIssue(claims, key)
    if (key.environment !== undefined && key.environment !== environment) {
      throw new ApnsRefusal(403, 'BadEnvironmentKeyInToken', `expected a key for ${environment}`)
    }
    checkHistory(history, token, key.keyId, issuedAt)
    Object.assign(history, { keyId: key.keyId, token, issuedAt })
    return { header, claims }
  }
}

function parseObject(base64url: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(base64url, 'base64url').toString()))
  } catch {
    throw invalid('expected JSON in the token')
  }
}

function invalid(details: string): ApnsRefusal {
  return new ApnsRefusal(403, 'InvalidProviderToken', details)
}
