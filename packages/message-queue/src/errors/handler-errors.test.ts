import { describe, expect, test } from 'vitest'
import { DeferError, PermanentError, RetryableError } from './handler-errors.js'

describe.each([
  ['RetryableError', RetryableError],
  ['PermanentError', PermanentError],
  ['DeferError', DeferError],
])('a %s', (_name, HandlerError) => {
  test('is UNCLASSIFIED unless told otherwise', () => {
    expect(new HandlerError('no luck')).toMatchObject({ message: 'no luck', code: 'UNCLASSIFIED' })
  })

  test('carries its code and its cause', () => {
    const cause = new Error('ECONNREFUSED')
    const error = new HandlerError('no luck', { code: 'PROVIDER_UNAVAILABLE', cause })
    expect(error.code).toBe('PROVIDER_UNAVAILABLE')
    expect(error.cause).toBe(cause)
  })
})

test('a DeferError carries the delay that was asked for', () => {
  expect(new DeferError('later', { delayMs: 30_000 }).delayMs).toBe(30_000)
  expect(new DeferError('later').delayMs).toBeUndefined()
})
