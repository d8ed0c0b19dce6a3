import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { createEndpointGuard, type EndpointRefusal, isFinalRefusal } from './endpoint-guard.js'
import { parseEndpointAllow } from './parse-endpoint-allow.js'

const check = (endpoint: string, allow = '') => {
  const found = createEndpointGuard({ allow: parseEndpointAllow(allow) }).check(endpoint)
  return typeof found === 'string' ? found : found.href
}

describe('check', () => {
  test.each([
    'https://fcm.googleapis.com/fcm/send/abc',
    'https://updates.push.services.mozilla.com/wpush/v2/abc',
    'https://web.push.apple.com/abc',
    'https://db5p.notify.windows.com/w/?token=abc',
    'https://FCM.googleapis.com:443/fcm/send/abc',
    'https://jmt17.google.com/fcm/send/abc',
  ])('lets the known push service through: %s', (endpoint) => {
    expect(check(endpoint)).toBe(new URL(endpoint).href)
  })

  test.each([
    ['', 'not a URL'],
    ['fcm.googleapis.com/abc', 'not a URL'],
    ['http://fcm.googleapis.com/abc', 'not https'],
    ['file:///etc/passwd', 'not https'],
    ['https://user@fcm.googleapis.com/abc', 'user information'],
    ['https://:secret@fcm.googleapis.com/abc', 'user information'],
    ['https://fcm.googleapis.com:8443/abc', 'port'],
    ['https://web.push.apple.com:22/abc', 'port'],
    ['https://example.com/abc', 'host'],
    ['https://fcm.googleapis.com.example.com/abc', 'host'],
    ['https://evilfcm.googleapis.com/abc', 'host'],
    ['https://evilpush.apple.com/abc', 'host'],
    ['https://push.apple.com/abc', 'host'],
    ['https://fcm.googleapis.com./abc', 'host'],
    ['https://localhost/abc', 'no such host'],
    ['https://permanently-removed.invalid/fcm/send/abc', 'no such host'],
    ['https://PERMANENTLY-removed.INVALID./fcm/send/abc', 'no such host'],
    ['https://push.test/abc', 'no such host'],
    ['https://push/abc', 'no such host'],
    ['https://evil.jmt17.google.com/abc', 'host'],
    ['https://8.8.8.8/abc', 'host'],
    ['https://127.0.0.1/abc', 'address'],
    ['https://2130706433/abc', 'address'],
    ['https://0x7f.1/abc', 'address'],
    ['https://169.254.169.254/latest/meta-data', 'address'],
    ['https://[::1]/abc', 'address'],
    ['https://[::ffff:127.0.0.1]/abc', 'address'],
  ])('refuses %s: %s', (endpoint, reason) => {
    expect(check(endpoint)).toBe(reason)
  })

  test('a listed host lets itself and what is below it through, at the port of HTTPS', () => {
    const allow = 'push.example.com'
    expect(check('https://push.example.com/a', allow)).toBe('https://push.example.com/a')
    expect(check('https://eu.push.example.com/a', allow)).toBe('https://eu.push.example.com/a')
    expect(check('https://evilpush.example.com/a', allow)).toBe('host')
    expect(check('https://push.example.com:8443/a', allow)).toBe('host')
  })

  test('a reserved name that is listed is one that exists here', () => {
    expect(check('https://push.test:8443/a', 'push.test:8443')).toBe('https://push.test:8443/a')
    expect(check('https://push.test:8444/a', 'push.test:8443')).toBe('host')
    expect(check('https://other.test:8443/a', 'push.test:8443')).toBe('no such host')
  })

  test.each<[EndpointRefusal, boolean]>([
    ['not a URL', true],
    ['not https', true],
    ['user information', true],
    ['no such host', true],
    ['port', false],
    ['host', false],
    ['address', false],
  ])('"%s" is for good: %s', (refusal, isFinal) => {
    expect(isFinalRefusal(refusal)).toBe(isFinal)
  })

  test('a listed host and port lets exactly that through', () => {
    const allow = '127.0.0.1:8443,push.example.com:9000'
    expect(check('https://127.0.0.1:8443/a', allow)).toBe('https://127.0.0.1:8443/a')
    expect(check('https://127.0.0.1/a', allow)).toBe('address')
    expect(check('https://127.0.0.1:8444/a', allow)).toBe('address')
    expect(check('https://127.0.0.2:8443/a', allow)).toBe('address')
    expect(check('https://eu.push.example.com:9000/a', allow)).toBe('host')
    expect(check('http://127.0.0.1:8443/a', allow)).toBe('not https')
    expect(check('https://user@127.0.0.1:8443/a', allow)).toBe('user information')
  })
})

describe('lookup', () => {
  /** What the guard makes of the addresses that a name server gives. */
  const lookUp = (answer: LookupAddress[] | Error, { allow = '', host = 'fcm.googleapis.com' } = {}) => {
    const guard = createEndpointGuard({
      allow: parseEndpointAllow(allow),
      lookup: (_host, _options, callback) =>
        answer instanceof Error ? callback(answer as NodeJS.ErrnoException, []) : callback(null, answer),
    })
    return new Promise<unknown>((resolve) => {
      guard.lookup(host, { all: true }, (error, found) => resolve(error ?? found))
    })
  }

  const one = (address: string): LookupAddress[] => [{ address, family: address.includes(':') ? 6 : 4 }]

  test('public addresses are handed on', async () => {
    const addresses = [...one('142.250.1.95'), ...one('2a00:1450:4001::1')]
    expect(await lookUp(addresses)).toBe(addresses)
  })

  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1'])(
    'a host that leads to %s is refused',
    async (address) => {
      expect(await lookUp(one(address))).toMatchObject({ name: 'RefusedAddressError', code: 'REFUSED_ADDRESS' })
    },
  )

  test('one such address among others is enough: the socket may try any of them', async () => {
    expect(await lookUp([...one('142.250.1.95'), ...one('127.0.0.1')])).toMatchObject({ code: 'REFUSED_ADDRESS' })
  })

  test('a listed host may lead where it likes', async () => {
    expect(await lookUp(one('10.0.0.1'), { allow: 'push.test:8443', host: 'push.test' })).toEqual(one('10.0.0.1'))
    expect(await lookUp(one('10.0.0.1'), { allow: 'push.test:8443' })).toMatchObject({ code: 'REFUSED_ADDRESS' })
  })

  test('an answer of one address is looked at too', async () => {
    const guard = createEndpointGuard({
      allow: [],
      lookup: (_host, _options, callback) => callback(null, '10.0.0.1', 4),
    })
    const error = await new Promise((resolve) => guard.lookup('fcm.googleapis.com', {}, resolve))
    expect(error).toMatchObject({ code: 'REFUSED_ADDRESS' })
  })

  test('an error of the name server is handed on', async () => {
    const error = Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
    expect(await lookUp(error)).toBe(error)
  })
})
