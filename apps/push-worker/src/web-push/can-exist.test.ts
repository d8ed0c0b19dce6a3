import { expect, test } from 'vitest'
import { canExist } from './can-exist.js'

test.each([
  'fcm.googleapis.com',
  'fcm.googleapis.com.',
  'example.com',
  'invalid.example.com',
  'xn--bcher-kva.de',
  '8.8.8.8',
  '[::1]',
])('%s can', (host) => {
  expect(canExist(host)).toBe(true)
})

test.each([
  'permanently-removed.invalid',
  'permanently-removed.invalid.',
  'push.test',
  'push.example',
  'push.localhost',
  'localhost',
  'mac.local',
  'abc.onion',
  'push.alt',
  'push',
  'invalid',
  '',
  'a..com',
  `${'a'.repeat(64)}.com`,
  `${'a.'.repeat(130)}com`,
])('%s cannot', (host) => {
  expect(canExist(host)).toBe(false)
})
