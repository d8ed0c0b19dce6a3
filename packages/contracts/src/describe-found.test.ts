import { describe, expect, test } from 'vitest'
import { describeFound } from './describe-found.js'

describe('describeFound', () => {
  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    ['', 'an empty string'],
    ['a', 'a string of 1 character'],
    ['secret', 'a string of 6 characters'],
    [7, 'a number'],
    [Number.NaN, 'NaN'],
    [true, 'a boolean'],
    [[1, 2], 'an array of 2'],
    [{ a: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [new Date(0), 'a Date'],
    [new Date(Number.NaN), 'an invalid Date'],
    [new Set(), 'an instance of Set'],
  ])('describes %s', (value, description) => {
    expect(describeFound(value)).toBe(description)
  })

  test('takes no name from the content of a message', () => {
    expect(describeFound(JSON.parse('{"constructor":{"name":"secret"}}'))).toBe('an object')
  })
})
