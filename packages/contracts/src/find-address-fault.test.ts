import { expect, test } from 'vitest'
import { findAddressFault } from './find-address-fault.js'

test.each(['ada@example.com', "o'hara+tag@mail.example.com", 'jürgen@bücher.example', 'a@b'])(
  '%s is fine',
  (address) => {
    expect(findAddressFault(address)).toBeUndefined()
  },
)

test.each([
  ['a line break', 'ada@example.com\r\nRCPT TO:<eve@example.com>'],
  ['a line feed alone', 'ada@example.com\n'],
  ['a NUL', 'ada@example.com\0'],
  ['a line separator', 'ada@example.com\u2028'],
  ['a comma', 'ada@example.com,eve@example.com'],
  ['a semicolon', 'ada@example.com;eve@example.com'],
  ['what NFC makes a semicolon', 'ada\u037eeve@example.com'],
  ['what NFC makes a blank', 'ada\u2000eve@example.com'],
  ['angle brackets', 'Ada<ada@example.com>'],
  ['a closing bracket', 'ada@example.com>'],
  ['a quote', '"ada"@example.com'],
  ['a comment', 'ada(eve)@example.com'],
  ['a group', 'friends:ada@example.com'],
  ['a backslash', 'ada\\@example.com'],
  ['two @', 'ada@eve@example.com'],
  ['no @', 'ada'],
  ['no name', '@example.com'],
  ['no domain', 'ada@'],
])('an address with %s is refused', (_what, address) => {
  expect(findAddressFault(address)).toContain('expected one email address such as name@example.com, found a string of')
})

/** A domain of so many characters, from 133 to 193. */
const domainOf = (length: number) => `${'b'.repeat(63)}.${'b'.repeat(63)}.${'b'.repeat(length - 132)}.com`

test('254 characters are the most', () => {
  const local = 'a'.repeat(64)
  expect(findAddressFault(`${local}@${domainOf(189)}`)).toBeUndefined()
  expect(findAddressFault(`${local}@${domainOf(190)}`)).toBe(
    'expected an email address of at most 254 characters, found 255',
  )
})

test('64 octets before the @ are the most', () => {
  expect(findAddressFault(`${'a'.repeat(64)}@example.com`)).toBeUndefined()
  expect(findAddressFault(`${'ü'.repeat(32)}@example.com`)).toBeUndefined()
  expect(findAddressFault(`${'a'.repeat(65)}@example.com`)).toBe('expected at most 64 octets before the @, found 65')
  expect(findAddressFault(`${'ü'.repeat(33)}@example.com`)).toBe('expected at most 64 octets before the @, found 66')
})

test('a domain is counted as it is sent', () => {
  const domain = `${'ü'.repeat(55)}.${'ü'.repeat(55)}.${'ü'.repeat(55)}.example`
  expect(findAddressFault(`${'a'.repeat(64)}@${domain}`)).toBe('expected at most 254 octets, found 258')
})

test('the part before the @ is counted as it is sent', () => {
  expect(findAddressFault(`${'e\u0301'.repeat(32)}@example.com`)).toBeUndefined()
  // Composition exclusions: two characters for each.
  const fault = 'expected at most 64 octets before the @, found 96'
  expect(findAddressFault(`${'\u0958'.repeat(16)}@example.com`)).toBe(fault)
})

test.each([
  'ada@exa%6dple.com',
  'ada@example.com/eve',
  `ada@${'b'.repeat(64)}.com`,
  'ada@\u00ad',
  'ada@127.0.0.1',
  'ada@0x7f.1',
  'ada@１２７.０.０.１',
  'ada@0x7f.１',
  'ada@2130706433',
  'ada@ex＠mple.com',
])('%j has no domain', (address) => {
  expect(findAddressFault(address)).toBe('expected a domain name after the @, found none')
})
