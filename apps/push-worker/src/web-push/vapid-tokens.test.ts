import { createPublicKey, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import webPush from 'web-push'
import { createVapidTokens } from './vapid-tokens.js'

const hour = 60 * 60 * 1000
const origin = 'https://push.example.com'

function setUp() {
  const keys = { subject: 'mailto:ops@example.com', ...webPush.generateVAPIDKeys() }
  const clock = { now: Date.now() }
  return { keys, clock, tokens: createVapidTokens({ keys, now: () => clock.now }) }
}

function read(header: string) {
  const [, token = '', key] = /^vapid t=([^,]+), k=(.+)$/.exec(header) ?? []
  const [head = '', claims = '', signature = ''] = token.split('.')
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { key, claims: decode(claims), signed: `${head}.${claims}`, signature: Buffer.from(signature, 'base64url') }
}

test('the header names origin, subject and an expiry of 12 hours, and is signed by the key that it names', () => {
  const { keys, clock, tokens } = setUp()
  const { key, claims, signed, signature } = read(tokens.get(origin))
  expect(claims).toEqual({ aud: origin, sub: keys.subject, exp: Math.floor((clock.now + 12 * hour) / 1000) })
  expect(key).toBe(keys.publicKey)
  const point = Buffer.from(keys.publicKey, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const publicKey = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const }
  expect(verify('sha256', Buffer.from(signed), publicKey, signature)).toBe(true)
})

test('an origin has one header until an hour before it expires', () => {
  const { clock, tokens } = setUp()
  const first = tokens.get(origin)
  clock.now += 11 * hour - 1
  expect(tokens.get(origin)).toBe(first)
  clock.now += 1
  expect(tokens.get(origin)).not.toBe(first)
})

test('origins have headers of their own', () => {
  const { tokens } = setUp()
  expect(read(tokens.get('https://other.example.com')).claims).toMatchObject({ aud: 'https://other.example.com' })
  expect(tokens.get(origin)).toBe(tokens.get(origin))
})

test('a refused header is signed again once, however many requests it was refused', () => {
  const { tokens } = setUp()
  const refused = tokens.get(origin)
  const renewed = tokens.renew(origin, refused)
  expect(renewed).not.toBe(refused)
  expect(tokens.renew(origin, refused)).toBe(renewed)
  expect(tokens.get(origin)).toBe(renewed)
  expect(tokens.signings).toBe(2)
})
