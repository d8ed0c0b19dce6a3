import { expect, test } from 'vitest'
import { toConnectionError, UnreadableFrameError } from './unreadable-frame-error.js'

test.each([new RangeError('Maximum call stack size exceeded'), new TypeError('Unexpected type tag "?"')])(
  'a connection that was left by %o had a frame that amqplib could not read',
  (cause) => {
    const error = toConnectionError(cause)
    expect(error).toBeInstanceOf(UnreadableFrameError)
    expect(error).toMatchObject({ message: expect.stringContaining(cause.message), cause })
  },
)

test.each([
  new Error('Heartbeat timeout'),
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  Object.assign(new Error('Connection closed: 320 (CONNECTION-FORCED)'), { code: 320 }),
])('a connection that was left by %o was lost', (error) => {
  expect(toConnectionError(error)).toBe(error)
})
