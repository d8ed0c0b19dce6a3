import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseDkimKey } from './parse-dkim-key.js'

const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' = 'pkcs8') => String(key.export({ type, format: 'pem' }))
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })

test.each(['pkcs1', 'pkcs8'] as const)('a key of 2,048 bits in %s is one', (type) => {
  const key = parseDkimKey(pem(rsa.privateKey, type))
  expect(key).toMatchObject({ type: 'private', asymmetricKeyType: 'rsa' })
})

test.each([
  ['a public key', String(rsa.publicKey.export({ type: 'spki', format: 'pem' })), 'a public key'],
  [
    'a key with a passphrase',
    String(rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })),
    'a key with a passphrase',
  ],
  ['something else', 'hunter2', 'a text that is none (not shown)'],
  ['half a key', pem(rsa.privateKey).slice(0, 900), 'a text that is none (not shown)'],
  ['a short key', pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey), 'one of 1024 bits'],
  ['a key of a curve', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), 'one of the type ec'],
  [
    'a key for PSS',
    pem(generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).privateKey),
    'one of the type rsa-pss',
  ],
])('%s is refused, and not shown', (_what, text, found) => {
  const fault = parseDkimKey(text)
  expect(fault).toEqual({ expected: expect.stringContaining('of RSA in PEM, of 2048 to 4096 bits'), found })
})

test('a key of Ed25519 is refused in words that say why', () => {
  expect(parseDkimKey(pem(generateKeyPairSync('ed25519').privateKey))).toEqual({
    expected: expect.stringContaining('nodemailer signs rsa-sha256 only'),
    found: 'one of Ed25519',
  })
})

test('a key of parts that do not belong together is refused, since mails would go out without a signature', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' })
  const mixed = { ...rsa.privateKey.export({ format: 'jwk' }), n: `${other.n}` }
  expect(parseDkimKey(pem(createPrivateKey({ key: mixed, format: 'jwk' })))).toEqual({
    expected: expect.any(String),
    found: 'one that makes no valid signature',
  })
})
