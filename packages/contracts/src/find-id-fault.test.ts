import { describe, expect, test } from 'vitest'
import { findIdFault } from './find-id-fault.js'

describe('findIdFault', () => {
  test.each([
    ['one character', 'a'],
    ['128 bytes of ASCII', 'a'.repeat(128)],
    ['64 characters of 2 bytes', 'é'.repeat(64)],
    ['32 characters of 4 bytes', '😀'.repeat(32)],
    ['spaces and punctuation', 'user 1/2.#*+%"'],
  ])('accepts %s', (_, id) => {
    expect(findIdFault(id)).toBeUndefined()
  })

  test.each([
    ['129 bytes of ASCII', 'a'.repeat(129), 'at most 128 bytes, found 129 characters'],
    ['65 characters of 2 bytes', 'é'.repeat(65), 'at most 128 bytes, found 130'],
    ['the empty string', '', 'found an empty string'],
    ['a number', 7, 'found a number'],
    ['nothing', undefined, 'found nothing'],
    ['a line break', 'a\nb', 'found one at index 1'],
    ['a zero', 'ab\u0000', 'found one at index 2'],
    ['a delete character', '\u007f', 'found one at index 0'],
    ['a C1 control character', 'a\u0085', 'found one at index 1'],
    ['a lone high surrogate', 'a\ud83d', 'found one at index 1'],
    ['a lone low surrogate', '\ude00a', 'found one at index 0'],
  ])('refuses %s and says why', (_, id, reason) => {
    expect(findIdFault(id)).toContain(reason)
  })
})
