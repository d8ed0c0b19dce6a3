import { expect, test } from 'vitest'
import { isAsciiBeforeAt } from './is-ascii-before-at.js'

test.each([
  ['ada@müller.example', true],
  ['zoë@example.com', false],
  ['你好@example.com', false],
  ['ada+x.y@example.com', true],
])('of %s the part before the @ is in ASCII: %s', (address, isAscii) => {
  expect(isAsciiBeforeAt(address)).toBe(isAscii)
})
