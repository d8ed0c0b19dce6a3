import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createJsonWriter } from '../test/json-writer.js'
import { findMemberText } from './find-member-text.js'

describe('findMemberText', () => {
  test.each([
    ['an object', '{"changes":{"a":1}}', '{"a":1}'],
    ['the last of several', '{"changes":{"a":1},"changes":{"b":2},"other":3}', '{"b":2}'],
    ['one whose name is written with escapes', String.raw`{"\u0063hang\u0065s":{"a":1}}`, '{"a":1}'],
    ['the last, however it is written', String.raw`{"changes":1,"ch\u0061nges":2}`, '2'],
    ['none of those inside others', '{"a":{"changes":1},"b":[{"changes":2}],"changes":3,"c":{"changes":4}}', '3'],
    ['none from inside a string', String.raw`{"a":"\",\"changes\":1,\"b\":\"","changes":2}`, '2'],
    ['strings with braces, brackets and escapes', String.raw`{"changes":{"a}":"]\"}\\","b":"{["},"c":1}`, ''],
    ['a string that ends with a backslash', String.raw`{"a":"\\","changes":"\\\\","b":1}`, String.raw`"\\\\"`],
    ['a string with escaped backslashes before a quote', String.raw`{"a":"\\\"changes","changes":1}`, '1'],
    ['blanks of any kind', '\n{\t"changes"\r\n : \t{ "a" : 1 }\r\n , "b" : 2 }\n', '{ "a" : 1 }'],
    ['the digits of a number', '{"changes":12345678901234567.8900}', '12345678901234567.8900'],
    ['a number before a blank', '{"changes":1e-320 }', '1e-320'],
    ['a word', '{"changes":null,"a":true}', 'null'],
    ['an empty list', '{"changes":[ ]}', '[ ]'],
    ['a byte order mark before it', '\ufeff{"changes":1}', '1'],
  ])('finds %s', (_what, json, expected) => {
    expect(findMemberText(json, 'changes')).toBe(expected || String.raw`{"a}":"]\"}\\","b":"{["}`)
  })

  test.each(['{}', ' { } ', '{"change":1,"changess":2,"Changes":3}', '{"a":"changes","b":{"changes":1}}'])(
    'finds nothing in %s',
    (json) => {
      expect(findMemberText(json, 'changes')).toBeUndefined()
    },
  )

  test('takes time in proportion to the body, whatever is in its strings', () => {
    const json = `{"a":"${'\\\\'.repeat(250_000)}${String.raw`\"`.repeat(250_000)}","changes":${'['.repeat(9_000)}1${']'.repeat(9_000)}}`
    const begun = performance.now()
    expect(findMemberText(json, 'changes')).toHaveLength(18_001)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  test('finds what JSON.parse finds in 2,000 random bodies', () => {
    const writer = createJsonWriter(1)
    for (let round = 0; round < 2_000; round += 1) {
      const json = writer.object(['changes', 'a', 'change'])
      const { changes } = JSON.parse(json) as { changes?: unknown }
      const text = findMemberText(json, 'changes')
      const found: unknown = text === undefined ? undefined : JSON.parse(text)
      // An expectation takes far longer than the search.
      if (!isDeepStrictEqual(found, changes) || text !== text?.trim()) expect([json, text]).toBe(changes)
    }
  })
})
