import webPush from 'web-push'
import type { Device } from '../device.js'
import type { WebContent } from './to-web-content.js'

export interface EncryptedPush {
  /** In lower case. */
  headers: Record<string, string>
  body: Buffer
}

/** The keys of a subscription are none: it cannot be reached, whatever is sent to it. */
export class InvalidKeysError extends Error {
  override readonly name = 'InvalidKeysError'
  readonly code = 'INVALID_KEYS'
}

/** Encrypts for one device (RFC 8291), with headers as of RFC 8030. @throws InvalidKeysError */
export function encryptPush(
  { address: endpoint, p256dh, auth }: Pick<Device, 'address' | 'p256dh' | 'auth'>,
  { payload, ttlSeconds, urgency, topic }: WebContent,
  authorization: string,
): EncryptedPush {
  if (!isPoint(p256dh)) throw new InvalidKeysError('p256dh is not an uncompressed point of P-256 in base64url')
  if (!isAuthSecret(auth)) throw new InvalidKeysError('auth is not a secret of 16 bytes in base64url')
  try {
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, payload, {
      // With a header of our own, and no details to make one from, none is signed.
      vapidDetails: null as never,
      headers: { Authorization: authorization },
      contentEncoding: 'aes128gcm',
      TTL: ttlSeconds,
      urgency,
      ...(topic === undefined ? {} : { topic }),
    })
    return { headers: toLowerCase(headers), body }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY') throw error
    throw new InvalidKeysError('p256dh is not on the curve P-256', { cause: error })
  }
}

function isPoint(key: string | null): key is string {
  const bytes = Buffer.from(key ?? '', 'base64url')
  return bytes.length === 65 && bytes[0] === 4
}

function isAuthSecret(key: string | null): key is string {
  return Buffer.from(key ?? '', 'base64url').length === 16
}

function toLowerCase(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
