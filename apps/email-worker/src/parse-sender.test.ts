import { expect, test } from 'vitest'
import { domainOf, parseReplyTo, parseSender } from './parse-sender.js'

test('an address alone has no name', () => {
  expect(parseSender('ada@example.com')).toEqual({ address: 'ada@example.com' })
  expect(parseSender('<ada@example.com>')).toEqual({ address: 'ada@example.com' })
})

test('a name stands before the address, quoted or not', () => {
  expect(parseSender('Ada Lovelace <ada@example.com>')).toEqual({ name: 'Ada Lovelace', address: 'ada@example.com' })
  expect(parseSender('"Lovelace, Ada" <ada@example.com>')).toEqual({
    name: 'Lovelace, Ada',
    address: 'ada@example.com',
  })
})

test.each([
  ['Ada <ada@example.com', 'one email address'],
  ['ada', 'one email address'],
  ['ada@example.com, eve@example.com', 'one email address'],
  ['Ada <ada@example.com,eve@example.com>', 'one email address'],
  ['ada@exa%00mple.com', 'a domain name'],
  ['A\x07da <ada@example.com>', 'control characters'],
  [`${'A'.repeat(201)} <ada@example.com>`, 'a name of at most 200 characters'],
])('%j is refused', (text, reason) => {
  expect(() => parseSender(text)).toThrow(reason)
})

test('where answers go is read in the same way, and has ASCII before the @', () => {
  expect(parseReplyTo('Hilfe & Rat <help@müller.example>')).toEqual({
    name: 'Hilfe & Rat',
    address: 'help@xn--mller-kva.example',
  })
  expect(() => parseReplyTo('zoë@example.com')).toThrow('expected ASCII before the @')
  expect(() => parseReplyTo('help')).toThrow('one email address')
})

test('the domain is given in ASCII', () => {
  expect(domainOf('ada@bücher.example')).toBe('xn--bcher-kva.example')
})
