import { expect, test } from 'vitest'
import { domainOf, parseSender } from './parse-sender.js'

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
  ['Ada <ada@example.com', 'white space'],
  ['ada', 'one @'],
  ['ada@example.com, eve@example.com', 'white space'],
  ['Ada <ada@example.com,eve@example.com>', 'none of'],
  ['ada@exa%00mple.com', 'a domain'],
  ['A\x07da <ada@example.com>', 'control characters'],
])('%j is refused', (text, reason) => {
  expect(() => parseSender(text)).toThrow(reason)
})

test('the domain is given in ASCII', () => {
  expect(domainOf('ada@bücher.example')).toBe('xn--bcher-kva.example')
})
