import { expect, test } from 'vitest'
import { findAddressFault, isAsciiBeforeAt } from './find-address-fault.js'

test.each(['ada@example.com', "o'hara+tag@mail.example.com", 'jürgen@bücher.example', 'a@b'])(
  '%s is fine',
  (address) => {
    expect(findAddressFault(address)).toBeUndefined()
  },
)

test.each([
  ['a line break', 'ada@example.com\r\nRCPT TO:<eve@example.com>', 'white space'],
  ['a line feed alone', 'ada@example.com\n', 'white space'],
  ['a NUL', 'ada@example.com\0', 'control characters'],
  ['a line separator', 'ada@example.com\u2028', 'white space'],
  ['a comma', 'ada@example.com,eve@example.com', 'none of'],
  ['a semicolon', 'ada@example.com;eve@example.com', 'none of'],
  ['angle brackets', 'Ada<ada@example.com>', 'none of'],
  ['a closing bracket', 'ada@example.com>', 'none of'],
  ['a quote', '"ada"@example.com', 'none of'],
  ['a comment', 'ada(eve)@example.com', 'none of'],
  ['a group', 'friends:ada@example.com', 'none of'],
  ['a backslash', 'ada\\@example.com', 'none of'],
  ['two @', 'ada@eve@example.com', 'one @'],
  ['no @', 'ada', 'one @'],
  ['no name', '@example.com', 'one @'],
  ['no domain', 'ada@', 'one @'],
])('an address with %s is refused', (_what, address, reason) => {
  expect(findAddressFault(address)).toContain(reason)
})

/** A domain of so many characters, from 133 to 193. */
const domainOf = (length: number) => `${'b'.repeat(63)}.${'b'.repeat(63)}.${'b'.repeat(length - 132)}.com`

test('254 characters are the most', () => {
  const local = 'a'.repeat(64)
  expect(findAddressFault(`${local}@${domainOf(189)}`)).toBeUndefined()
  expect(findAddressFault(`${local}@${domainOf(190)}`)).toBe('expected at most 254 characters, found 255')
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

test.each(['ada@exa%6dple.com', 'ada@example..com', 'ada@example.com/eve', `ada@${'b'.repeat(64)}.com`, 'ada@\u00ad'])(
  '%j has no domain',
  (address) => {
    expect(findAddressFault(address)).toBe('expected a domain after the @')
  },
)

test.each([
  ['ada@müller.example', true],
  ['zoë@example.com', false],
  ['你好@example.com', false],
  ['ada+x.y@example.com', true],
])('of %s the part before the @ is in ASCII: %s', (address, isAscii) => {
  expect(isAsciiBeforeAt(address)).toBe(isAscii)
})
