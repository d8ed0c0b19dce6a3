import { expect, test } from 'vitest'
import { parseEndpointAllow } from './parse-endpoint-allow.js'

test('hosts, and hosts with a port, are separated by commas', () => {
  expect(parseEndpointAllow(' push.example.com, 127.0.0.1:8443 ,[::1]:8443,Push.Test:1,')).toEqual([
    { host: 'push.example.com' },
    { host: '127.0.0.1', port: 8443 },
    { host: '[::1]', port: 8443 },
    { host: 'push.test', port: 1 },
  ])
})

test('the port that HTTPS has anyway makes it this host only', () => {
  expect(parseEndpointAllow('push.example.com:443')).toEqual([{ host: 'push.example.com', port: 443 }])
})

test('nothing allows nothing', () => {
  expect(parseEndpointAllow('')).toEqual([])
})

test.each(['127.0.0.1', '[::1]', 'localhost', 'com'])(
  '%s alone would allow too much, or nothing, and needs a port',
  (entry) => {
    expect(() => parseEndpointAllow(`push.example.com,${entry}`)).toThrow(`"${entry}" needs a port`)
  },
)

test.each([
  'https://push.example.com',
  'push.example.com/path',
  'user@push.example.com',
  '*.example.com',
  'push.example.com.',
  'push.example.com:99999',
  'a b',
  '?x',
])('%s is refused', (entry) => {
  expect(() => parseEndpointAllow(entry)).toThrow('is neither a host nor host:port')
})
