import { expect, test } from 'vitest'
import { isFcmAddress } from './is-fcm-address.js'

test.each(['fGh1-2_abc:APA91bHun4MxP5egoKMwt2KZFBaFUH', 'cXyZ0123456789_-abcdef', 'x'.repeat(4096)])(
  '%s may be one',
  (address) => {
    expect(isFcmAddress(address)).toBe(true)
  },
)

test.each(['', ' ', 'a b', 'a\n', 'a\u0000', 'ü', '🔔', 'x'.repeat(4097)])('%j is none', (address) => {
  expect(isFcmAddress(address)).toBe(false)
})
