import { describe, expect, test } from 'vitest'
import { findTextFault } from './find-text-fault.js'

describe('findTextFault', () => {
  test.each([
    ['the empty string', ''],
    ['line breaks and tabs', 'a\r\n\tb'],
    ['as many bytes as allowed', 'a'.repeat(10)],
    ['as many bytes as allowed in longer characters', '€€€a'],
    ['a surrogate pair', '😀'],
  ])('accepts %s', (_, text) => {
    expect(findTextFault(text, 10)).toBeUndefined()
  })

  test.each([
    ['one byte too many', 'a'.repeat(11), 'expected at most 10 bytes, found 11 characters'],
    ['one byte too many in longer characters', '€€€aa', 'expected at most 10 bytes, found 11'],
    ['a zero', 'a\u0000', 'expected no \\u0000, found one at index 1'],
    ['a lone surrogate', 'ab\ud83d', 'expected well-formed Unicode, found a lone surrogate at index 2'],
    ['a surrogate pair in the wrong order', '\ude00\ud83d', 'lone surrogate at index 0'],
    ['what is not a string', null, 'expected a string, found null'],
  ])('refuses %s and says why', (_, text, reason) => {
    expect(findTextFault(text, 10)).toContain(reason)
  })

  test('limits a string to what a body may have unless told otherwise', () => {
    expect(findTextFault('a'.repeat(1_048_576))).toBeUndefined()
    expect(findTextFault('a'.repeat(1_048_577))).toContain('at most 1048576 bytes')
  })
})
