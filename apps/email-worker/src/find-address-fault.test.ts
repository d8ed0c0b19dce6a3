import { expect, test } from 'vitest'
import { findAddressFault } from './find-address-fault.js'

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

test('254 characters are the most', () => {
  const domain = '@example.com'
  expect(findAddressFault('a'.repeat(254 - domain.length) + domain)).toBeUndefined()
  expect(findAddressFault('a'.repeat(255 - domain.length) + domain)).toBe('expected at most 254 characters, found 255')
})
