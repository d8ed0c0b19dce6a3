import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** Why a text cannot be the key; it contains nothing of the text. */
export interface DkimKeyFault {
  expected: string
  found: string
}

/**
 * RFC 8301: a verifier takes no key below 1,024 bits and need not take one above 4,096; below 2,048 none should be made.
 */
const bits = { min: 2_048, max: 4_096 }

const expected = `a private key of RSA in PEM, of ${bits.min} to ${bits.max} bits; \`npm run dkim\` makes one`

/**
 * Reads PKCS#8 and PKCS#1. Everything that could keep nodemailer from signing is found here, because then it sends the
 * mail without a signature and says nothing.
 */
export function parseDkimKey(text: string): KeyObject | DkimKeyFault {
  const key = readPrivateKey(text)
  if (key === undefined) return { expected, found: describeText(text) }
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0 } = {} } = key
  if (type === 'ed25519') return { expected: `${expected} (nodemailer signs rsa-sha256 only)`, found: 'one of Ed25519' }
  if (type !== 'rsa') return { expected, found: `one of the type ${type}` }
  if (modulusLength < bits.min || modulusLength > bits.max) return { expected, found: `one of ${modulusLength} bits` }
  return canSign(key) ? key : { expected, found: 'one that makes no valid signature' }
}

function readPrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

function describeText(text: string): string {
  if (/-----BEGIN [A-Z ]*PUBLIC KEY-----|-----BEGIN CERTIFICATE-----/.test(text)) return 'a public key'
  if (/ENCRYPTED/.test(text)) return 'a key with a passphrase'
  return 'a text that is none (not shown)'
}

/** The parts of a key may come from different keys. */
function canSign(key: KeyObject): boolean {
  const data = Buffer.from('data')
  try {
    return verify('sha256', data, createPublicKey(key), sign('sha256', data, key))
  } catch {
    return false
  }
}
