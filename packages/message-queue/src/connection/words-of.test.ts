import { expect, test } from 'vitest'
import { wordsOf } from './words-of.js'

test.each([
  [
    `Channel closed by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - access to exchange 'a"b' refused"`,
    `ACCESS_REFUSED - access to exchange 'a"b' refused`,
  ],
  ['read ECONNRESET', 'read ECONNRESET'],
])('of %s', (message, words) => {
  expect(wordsOf(new Error(message))).toBe(words)
})
