import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createProviderTokens } from './provider-tokens.js'

const minute = 60_000

function setUp() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const clock = { now: 1_790_000_000_999, uptime: 5000 }
  const pass = (ms: number) => {
    clock.now += ms
    clock.uptime += ms
  }
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const tokens = createProviderTokens({
    key,
    keyId: 'KEY1234567',
    teamId: 'TEAM123456',
    now: () => clock.now,
    uptime: () => clock.uptime,
  })
  return { publicKey, clock, pass, tokens }
}

test('the token names the key, the team and the second, and is signed as a JWT is', () => {
  const { publicKey, tokens } = setUp()
  const [header = '', claims = '', signature = ''] = tokens.get().split('.')
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(decode(header)).toEqual({ alg: 'ES256', kid: 'KEY1234567' })
  expect(decode(claims)).toEqual({ iss: 'TEAM123456', iat: 1_790_000_000 })
  const bytes = Buffer.from(signature, 'base64url')
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
  expect(bytes).toHaveLength(64)
  expect(verify('sha256', Buffer.from(`${header}.${claims}`), key, bytes)).toBe(true)
})

test('a token is sent with until it is 50 minutes old', () => {
  const { pass, tokens } = setUp()
  const first = tokens.get()
  pass(50 * minute - 1)
  expect(tokens.get()).toBe(first)
  pass(1)
  expect(tokens.get()).not.toBe(first)
  expect(tokens.signings).toBe(2)
})

describe('a token that was refused for its age', () => {
  test('is signed anew, once, however many requests it was refused', () => {
    const { pass, tokens } = setUp()
    const refused = tokens.get()
    pass(20 * minute)
    const renewed = tokens.renew(refused)
    expect(renewed).not.toBe(refused)
    expect(tokens.renew(refused)).toBe(renewed)
    expect(tokens.get()).toBe(renewed)
    expect(tokens.signings).toBe(2)
  })

  test('is not signed anew within 20 minutes of the last, whatever is answered', () => {
    const { pass, tokens } = setUp()
    const refused = tokens.get()
    pass(20 * minute - 1)
    expect(tokens.renew(refused)).toBeUndefined()
    expect(tokens.get()).toBe(refused)
    expect(tokens.signings).toBe(1)
  })
})

describe('a clock that is set', () => {
  test('back leaves a token of the future, which is signed anew 20 minutes after it was signed', () => {
    const { clock, pass, tokens } = setUp()
    const first = tokens.get()
    clock.now -= 120 * minute
    pass(20 * minute - 1)
    expect(tokens.get()).toBe(first)
    expect(tokens.renew(first)).toBeUndefined()
    pass(1)
    expect(tokens.get()).not.toBe(first)
    expect(tokens.signings).toBe(2)
  })

  test('ahead does not make a token old before 20 minutes have passed', () => {
    const { clock, pass, tokens } = setUp()
    const first = tokens.get()
    clock.now += 120 * minute
    expect(tokens.get()).toBe(first)
    pass(20 * minute)
    expect(tokens.get()).not.toBe(first)
  })
})
