import { createPrivateKey, KeyObject } from 'node:crypto'
import { RealtimeTokenError } from './realtime-token-error.js'

/** RFC 7518, section 3.3: a key of 2,048 bits or larger must be used with RS256. */
const minBits = 2_048

const expected = `expected a private key of RSA of ${minBits} bits or more, as PEM (text or bytes) or as a KeyObject`
const advice = '`openssl genrsa 3072` makes one, and the broker needs its public half (see docs/realtime.md)'

/**
 * Reads PKCS#8 and PKCS#1. A development key begins with a line of text that says so (RFC 7468, section 2); a KeyObject
 * has no such line, so only PEM is refused for it.
 *
 * @throws RealtimeTokenError, which shows nothing of the key
 */
export function parseSigningKey(key: unknown, { isProduction }: { isProduction: boolean }): KeyObject {
  const pem = Buffer.isBuffer(key) ? key.toString() : key
  const privateKey = pem instanceof KeyObject ? pem : readPem(pem)
  if (privateKey.type !== 'private') throw createError(`a ${privateKey.type} key`)
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0 } = {} } = privateKey
  if (type !== 'rsa') throw createError(`one of the type ${type}`)
  if (modulusLength < minBits) throw createError(`one of ${modulusLength} bits`)
  if (isProduction && typeof pem === 'string' && isDevelopmentKey(pem)) {
    throw new RealtimeTokenError(
      'key',
      'expected a key of its own, because NODE_ENV is production, found the development key of `npm start`, which others may have; make one with `openssl genrsa 3072`, and give the broker its public half',
    )
  }
  return privateKey
}

function readPem(key: unknown): KeyObject {
  if (typeof key !== 'string') throw createError(key === undefined ? 'nothing' : `a value of the type ${typeof key}`)
  try {
    return createPrivateKey(key)
  } catch (error) {
    throw createError(describePem(key), error)
  }
}

function describePem(text: string): string {
  if (/-----BEGIN (RSA )?PUBLIC KEY-----|-----BEGIN CERTIFICATE-----/.test(text)) return 'a public key'
  if (/ENCRYPTED/.test(text)) return 'a key with a passphrase'
  return text.includes('-----BEGIN') ? 'PEM that cannot be read' : 'a text that is no PEM (not shown)'
}

function isDevelopmentKey(pem: string): boolean {
  return /development key/i.test(pem.slice(0, pem.indexOf('-----BEGIN')))
}

function createError(found: string, cause?: unknown): RealtimeTokenError {
  const error = new RealtimeTokenError('key', `${expected}, found ${found}; ${advice}`)
  if (cause !== undefined) error.cause = cause
  return error
}
