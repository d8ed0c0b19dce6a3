import { createECDH, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { encryptPush, InvalidKeysError } from './encrypt-push.js'
import type { WebContent } from './to-web-content.js'

const content: WebContent = {
  payload: Buffer.from('{"title":"Hello"}'),
  ttlSeconds: 60,
  urgency: 'high',
  topic: 'room',
}

const subscription = (keys: { p256dh?: string | null; auth?: string | null } = {}) => ({
  address: 'https://fcm.googleapis.com/fcm/send/abc',
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
  ...keys,
})

test('the headers are those of the protocol, in lower case, with our own authorization', () => {
  const { headers, body } = encryptPush(subscription(), content, 'vapid t=a, k=b')
  expect(headers).toEqual({
    authorization: 'vapid t=a, k=b',
    'content-encoding': 'aes128gcm',
    'content-length': String(body.length),
    'content-type': 'application/octet-stream',
    topic: 'room',
    ttl: '60',
    urgency: 'high',
  })
})

test('the largest payload takes the 4096 bytes that push services admit', () => {
  const { body } = encryptPush(subscription(), { ...content, payload: Buffer.alloc(3993) }, 'vapid')
  expect(body).toHaveLength(4096)
})

test('the same payload is never encrypted the same way', () => {
  const device = subscription()
  expect(encryptPush(device, content, 'v').body).not.toEqual(encryptPush(device, content, 'v').body)
})

test.each([
  ['no key', { p256dh: null }],
  ['an empty key', { p256dh: '' }],
  ['a text', { p256dh: 'not a key' }],
  ['a compressed point', { p256dh: createECDH('prime256v1').generateKeys('base64url', 'compressed') }],
  ['65 bytes that do not begin as a point', { p256dh: Buffer.alloc(65, 7).toString('base64url') }],
  [
    'a point that is not on the curve',
    { p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url') },
  ],
  ['no secret', { auth: null }],
  ['a secret of 15 bytes', { auth: randomBytes(15).toString('base64url') }],
])('%s is refused as keys that are none', (_, keys) => {
  expect(() => encryptPush(subscription(keys), content, 'vapid')).toThrow(InvalidKeysError)
})

test('any other failure is no fault of the keys', () => {
  const bad = { ...content, urgency: 'urgent' as never }
  expect(() => encryptPush(subscription(), bad, 'vapid')).not.toThrow(InvalidKeysError)
  expect(() => encryptPush(subscription(), bad, 'vapid')).toThrow('urgency')
})
