import { describe, expect, test } from 'vitest'
import { findPositiveIntegerFault } from './find-positive-integer-fault.js'

describe('findPositiveIntegerFault', () => {
  test.each([1, 42, 2 ** 53 - 1])('accepts %d', (value) => {
    expect(findPositiveIntegerFault(value)).toBeUndefined()
  })

  test.each([
    [0, 'zero'],
    [-0, 'zero'],
    [-1, 'a negative number'],
    [1.5, 'a fraction'],
    [2 ** 53, 'a larger number'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['42', 'a string of 2 characters'],
    [42n, 'a bigint'],
    [null, 'null'],
  ])('refuses %s and says what it found', (value, found) => {
    expect(findPositiveIntegerFault(value)).toBe(`expected an integer from 1 to 9007199254740991, found ${found}`)
  })
})
