import { expect, test } from 'vitest'
import { decodeBody } from './decode-body.js'

const json = '{"a":"ü"}'
const swap = (text: string) => Buffer.from(text, 'utf16le').swap16()
const utf32 = (text: string) => Buffer.concat([...text].map((char) => Buffer.from([char.codePointAt(0) ?? 0, 0, 0, 0])))

test('gives the text, and skips one byte order mark', () => {
  expect(decodeBody(Buffer.from(json))).toEqual({ text: json })
  expect(decodeBody(Buffer.from(`\uFEFF${json}`))).toEqual({ text: json })
  expect(decodeBody(Buffer.from(`\uFEFF\uFEFF${json}`))).toEqual({ text: `\uFEFF${json}` })
  expect(decodeBody(Buffer.alloc(0))).toEqual({ text: '' })
})

test.each([
  ['UTF-16', Buffer.from(`\uFEFF${json}`, 'utf16le')],
  ['UTF-16', swap(`\uFEFF${json}`)],
  ['UTF-16', Buffer.from(json, 'utf16le')],
  ['UTF-16', swap(json)],
  ['UTF-32', Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), utf32(json)])],
  ['UTF-32', Buffer.concat([Buffer.from([0, 0, 0xfe, 0xff]), utf32(json).swap32()])],
  ['UTF-32', utf32(json)],
  ['UTF-32', utf32(json).swap32()],
  ['other bytes', Buffer.from(json, 'latin1')],
])('names %s', (found, body) => {
  expect(decodeBody(body)).toEqual({ found })
})
