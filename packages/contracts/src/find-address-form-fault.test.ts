import { describe, expect, test } from 'vitest'
import { findAddressFormFault } from './find-address-form-fault.js'

describe('findAddressFormFault', () => {
  test.each([
    'ada@example.com',
    'ada.lovelace+list@mail.example.co.uk',
    "o'neil_{x}!#$%&*/=?^`|~-@example.com",
    'jörg@müller.example',
    'root@localhost',
    `${'a'.repeat(64)}@${'b'.repeat(185)}.com`,
  ])('accepts %s', (address) => {
    expect(findAddressFormFault(address)).toBeUndefined()
  })

  test.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'ada@example.com,eve@example.com',
    'ada@example.com;eve@example.com',
    'ada@example.com eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com\n',
    'ada@example.com\u2028',
    'ada\u0000@example.com',
    'ada\ud800@example.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    '"ada,eve"@example.com',
    'ada(eve)@example.com',
    'friends:ada@example.com',
    'ada\\@example.com',
    'ada@[127.0.0.1]',
    'ada@.example.com',
    'ada@example..com',
    'ada@example.com.',
  ])('refuses %j', (address) => {
    expect(findAddressFormFault(address)).toContain('expected one email address')
  })

  test('refuses 255 characters', () => {
    const address = `${'a'.repeat(64)}@${'b'.repeat(186)}.com`
    expect(findAddressFormFault(address)).toBe('expected an email address of at most 254 characters, found 255')
  })

  test('refuses what is not a string', () => {
    expect(findAddressFormFault(['ada@example.com'])).toBe('expected an email address, found an array of 1')
  })

  test('never repeats the address', () => {
    expect(findAddressFormFault('ada lovelace@example.com')).not.toContain('ada')
  })
})
