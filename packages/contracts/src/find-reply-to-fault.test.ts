import { describe, expect, test } from 'vitest'
import { findReplyToFault } from './find-reply-to-fault.js'

describe('findReplyToFault', () => {
  test.each([
    'ada@example.com',
    "o'neil+ticket-7@mail.example.co.uk",
    'ada@müller.example',
    `${'a'.repeat(64)}@b.example`,
  ])('accepts %s', (address) => {
    expect(findReplyToFault(address)).toBeUndefined()
  })

  test.each<[unknown, string]>([
    ['zoë@example.com', 'expected ASCII before the @, found another character at index 2'],
    ['你好@example.com', 'expected ASCII before the @, found another character at index 0'],
    [`${'a'.repeat(65)}@example.com`, 'expected at most 64 octets before the @, found 65'],
    [`ada@${'b'.repeat(250)}.com`, 'expected an email address of at most 254 characters, found 258'],
    ['Ada <ada@example.com>', 'expected one email address such as name@example.com, found a string of 21 characters'],
    ['ada@example.com\r\nBcc: eve@example.com', 'expected one email address'],
    ['ada@example.com, eve@example.com', 'expected one email address'],
    ['"ada"@example.com', 'expected one email address'],
    ['ada@127.0.0.1', 'expected a domain name after the @'],
    ['', 'expected one email address'],
    [['ada@example.com'], 'expected an email address, found an array of 1'],
  ])('refuses %j', (value, reason) => {
    expect(findReplyToFault(value)).toContain(reason)
  })
})
