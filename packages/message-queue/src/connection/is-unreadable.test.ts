import { expect, test } from 'vitest'
import { isUnreadable } from './is-unreadable.js'

test.each([new RangeError('Maximum call stack size exceeded'), new TypeError('Unexpected type tag "?"')])(
  'knows that amqplib could not read a frame by %o',
  (error) => {
    expect(isUnreadable(error)).toBe(true)
  },
)

test.each([
  undefined,
  new Error('Heartbeat timeout'),
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  Object.assign(new Error('Connection closed: 320 (CONNECTION-FORCED)'), { code: 320 }),
])('does not take a lost connection for that: %o', (error) => {
  expect(isUnreadable(error)).toBe(false)
})
