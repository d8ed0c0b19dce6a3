import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { createRealtimeToken, RealtimeTokenError, type RealtimeTokenOptions } from './index.js'

const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const developmentPem = `Development key for realtime tokens, made on this machine. Not for production.\n\n${pem}`
const options: RealtimeTokenOptions = { userId: 'user-1', tenantId: 42, conversations: ['conversation-7'], key: pem }

const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
const read = (token: string) => token.split('.').slice(0, 2).map(decode)
const create = (others: object) => createRealtimeToken({ ...options, ...others })

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

test('a token says who may hear what, until when, and is signed with the key', () => {
  vi.useFakeTimers({ now: 1_700_000_000_999 })
  const token = createRealtimeToken(options)
  const [header, claims, signature = ''] = token.split('.')
  expect(decode(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'app' })
  expect(decode(claims)).toEqual({
    aud: 'mono',
    sub: '42.user-1',
    iat: 1_700_000_000,
    exp: 1_700_000_900,
    scope: [
      'mono.configure:mono/mqtt-subscription-42.user-1.*',
      'mono.write:mono/mqtt-subscription-42.user-1.*',
      'mono.read:mono/mqtt-subscription-42.user-1.*',
      'mono.read:mono/realtime/chat.42.conversation-7',
    ].join(' '),
  })
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    pair.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  expect(isSigned).toBe(true)
})

test('the name of the key, the virtual host and the time can be chosen', () => {
  const [header, claims] = read(create({ keyId: 'next', vhost: 'a b', ttlSeconds: 3600 }))
  expect(header.kid).toBe('next')
  expect(claims.exp - claims.iat).toBe(3600)
  expect(claims.scope).toContain('mono.read:a%20b/realtime/chat.42.conversation-7')
})

test('each conversation is named once, and what stands for something in a scope is encoded', () => {
  const [, { scope }] = read(create({ conversations: ['a b', 'a.b', '*', 'a b'] }))
  expect(scope.split(' ').slice(3)).toEqual([
    'mono.read:mono/realtime/chat.42.a%20b',
    'mono.read:mono/realtime/chat.42.a%252Eb',
    'mono.read:mono/realtime/chat.42.%252A',
  ])
})

test('a whole tenant is named by so many words only', () => {
  const [, { scope }] = read(create({ conversations: 'whole-tenant' }))
  expect(scope.split(' ').slice(3)).toEqual(['mono.read:mono/realtime/chat.42.*'])
  const [, one] = read(create({ conversations: ['whole-tenant'] }))
  expect(one.scope).toContain('mono.read:mono/realtime/chat.42.whole-tenant')
})

test.each([
  ['bob', '42.bob', 'mqtt-subscription-42.bob.*'],
  ['bob.evil', '42.bob%2Eevil', 'mqtt-subscription-42.bob%252Eevil.*'],
  ['a b*', '42.a%20b%2A', 'mqtt-subscription-42.a%2520b%252A.*'],
  ["!~'()", '42.%21%7E%27%28%29', 'mqtt-subscription-42.%2521%257E%2527%2528%2529.*'],
])('the user %s has sessions of its own', (userId, subject, sessions) => {
  const [, claims] = read(create({ userId }))
  expect(claims.sub).toBe(subject)
  expect(claims.scope.split(' ')[0]).toBe(`mono.configure:mono/${sessions}`)
})

test.each(['語'.repeat(42), '.'.repeat(128)])(
  'a long user id is hashed, so that the queue has a name: %s',
  (userId) => {
    const tenantId = Number.MAX_SAFE_INTEGER
    const [, { sub }] = read(create({ userId, tenantId }))
    expect(sub).toMatch(/^9007199254740991\.%sha256-[0-9a-f]{64}$/)
    const random = 'x'.repeat(22)
    expect(`mqtt-subscription-${sub}.${random}qos0`.length).toBeLessThanOrEqual(255)
  },
)

test('the longest user id that is not hashed leaves room for the name of the queue', () => {
  const [, { sub }] = read(create({ userId: 'u'.repeat(120), tenantId: Number.MAX_SAFE_INTEGER }))
  expect(sub).not.toContain('sha256')
  expect(`mqtt-subscription-${sub}.${'x'.repeat(22)}qos0`.length).toBeLessThanOrEqual(255)
})

test.each([
  ['userId', '', /1 to 128 bytes, found an empty string/],
  ['userId', 'a\nb', /control characters/],
  ['userId', undefined, /found nothing/],
  ['tenantId', 0, /from 1 to 9007199254740991, found zero/],
  ['tenantId', '42', /found a string/],
  ['tenantId', 2 ** 53, /a larger number/],
  ['ttlSeconds', 0, /whole seconds from 1 to 3600, found 0/],
  ['ttlSeconds', 3601, /found 3601/],
  ['ttlSeconds', 1.5, /found 1.5/],
  ['ttlSeconds', '900', /found a value of the type string/],
  ['ttlSeconds', Number.NaN, /found NaN/],
  ['conversations', [], /one id or more, or 'whole-tenant', found an empty array/],
  ['conversations', undefined, /found a value of the type undefined/],
  ['conversations', 'a', /found a value of the type string/],
  ['conversations', '*', /found a value of the type string/],
  ['conversations[1]', ['a', ''], /1 to 128 bytes/],
  ['conversations[0]', ['x'.repeat(129)], /129 characters/],
  ['keyId', '', /1 to 128 bytes/],
  ['vhost', '', /1 to 128 bytes/],
])('%s is refused if it is %j', (field, value, reason) => {
  const name = field.replace(/\[.*/, '')
  const attempt = () => create({ [name]: value })
  expect(attempt).toThrow(RealtimeTokenError)
  expect(attempt).toThrow(`createRealtimeToken: ${field}: expected`)
  expect(attempt).toThrow(reason)
})

const small = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const toPem = (key: typeof small) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

test.each([
  ['a public key', pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'a public key'],
  ['a public KeyObject', pair.publicKey, 'a public key'],
  ['a key of another kind', toPem(curve), 'one of the type ec'],
  ['a short key', toPem(small), 'one of 1024 bits'],
  ['a short KeyObject', small, 'one of 1024 bits'],
  [
    'a key with a passphrase',
    pair.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    'a key with a passphrase',
  ],
  ['no PEM', 'secret-text', 'a text that is no PEM (not shown)'],
  ['a PEM that is cut', pem.slice(0, 200), 'PEM that cannot be read'],
  ['nothing', undefined, 'nothing'],
  ['a Buffer of something else', Buffer.from('secret-text'), 'a text that is no PEM (not shown)'],
  ['an object', { key: pem }, 'a value of the type object'],
])('%s is refused as the key, with what to do, and without showing it', (_name, key, found) => {
  const attempt = () => create({ key })
  expect(attempt).toThrow(`createRealtimeToken: key: expected a private key of RSA of 2048 bits or more`)
  expect(attempt).toThrow(`found ${found}`)
  expect(attempt).toThrow('openssl genrsa')
  expect(attempt).not.toThrow(/secret-text|MII/)
})

test('a key is taken as PKCS#8, as PKCS#1, as the bytes of a file, and as a KeyObject', () => {
  const pkcs1 = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  for (const key of [pem, pkcs1, Buffer.from(pem), createPrivateKey(pem)]) {
    expect(create({ key })).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  }
  expect(createPublicKey(pem).asymmetricKeyType).toBe('rsa')
})

test('a development key is good on this machine, and refused in production', () => {
  expect(create({ key: developmentPem })).toBeTruthy()
  vi.stubEnv('NODE_ENV', 'production')
  for (const key of [developmentPem, Buffer.from(developmentPem)]) {
    expect(() => create({ key })).toThrow(/NODE_ENV is production.*development key/)
  }
  expect(create({ key: pem })).toBeTruthy()
})

test('a token that RabbitMQ would not take is refused, with what to do', () => {
  const conversations = Array.from({ length: 1_000 }, () => randomUUID())
  expect(create({ conversations: conversations.slice(0, 500) }).length).toBeLessThan(48 * 1024)
  expect(() => create({ conversations })).toThrow(
    /conversations: expected a token of at most 64512 bytes.*found one of \d+ bytes for 1000 conversations; name those that are open now, or use 'whole-tenant'/,
  )
})
