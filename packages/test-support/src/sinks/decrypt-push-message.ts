import { createDecipheriv, hkdfSync } from 'node:crypto'
import type { PushReceiver } from './push-device.js'
import { PushRefusal } from './push-refusal.js'

const saltBytes = 16
const keyBytes = 65
const headerBytes = saltBytes + 4 + 1 + keyBytes
const tagBytes = 16

/**
 * The text of a message encrypted as RFC 8291 says: one record of RFC 8188 (`aes128gcm`).
 * @throws PushRefusal 400 if it is anything else, or was not encrypted for this receiver
 */
export function decryptPushMessage(body: Buffer, receiver: PushReceiver): string {
  if (body.length < headerBytes + tagBytes + 1) throw new PushRefusal(400, 'The body is too short to be encrypted')
  const salt = body.subarray(0, saltBytes)
  const recordSize = body.readUInt32BE(saltBytes)
  if (body[saltBytes + 4] !== keyBytes) throw new PushRefusal(400, 'The key id is not a public key of 65 bytes')
  const senderKey = body.subarray(saltBytes + 5, headerBytes)
  const record = body.subarray(headerBytes)
  if (record.length > recordSize) throw new PushRefusal(400, 'The body has more than one record')
  return unpad(decryptRecord(record, deriveKeys(receiver, senderKey, salt))).toString('utf8')
}

interface ContentKeys {
  key: Buffer
  nonce: Buffer
}

function deriveKeys(receiver: PushReceiver, senderKey: Buffer, salt: Buffer): ContentKeys {
  const shared = computeShared(receiver, senderKey)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiver.publicKey, senderKey])
  const secret = Buffer.from(hkdfSync('sha256', shared, receiver.authSecret, info, 32))
  const derive = (purpose: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(`Content-Encoding: ${purpose}\0`), length))
  return { key: derive('aes128gcm', 16), nonce: derive('nonce', 12) }
}

function computeShared(receiver: PushReceiver, senderKey: Buffer): Buffer {
  try {
    return receiver.ecdh.computeSecret(senderKey)
  } catch {
    throw new PushRefusal(400, "The sender's key is not a point of P-256")
  }
}

/** The nonce of the first record is the derived one: its sequence number is 0. */
function decryptRecord(record: Buffer, { key, nonce }: ContentKeys): Buffer {
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(record.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(record.subarray(0, -tagBytes)), decipher.final()])
  } catch {
    throw new PushRefusal(400, 'The body cannot be decrypted with the keys of this subscription')
  }
}

/** The last record ends in 0x02 and any number of zeros. */
function unpad(padded: Buffer): Buffer {
  let end = padded.length
  while (end > 0 && padded[end - 1] === 0) end -= 1
  if (padded[end - 1] !== 2) throw new PushRefusal(400, 'The padding of the last record is not 0x02 and zeros')
  return padded.subarray(0, end - 1)
}
