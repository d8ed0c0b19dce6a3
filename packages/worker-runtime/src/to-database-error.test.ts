import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { isDataFault, toDatabaseError } from './to-database-error.js'

const withCode = (code: string) => Object.assign(new Error('from the driver'), { code })

describe('a database that is not available', () => {
  test.each([
    '08006',
    '08003',
    '53300',
    '53100',
    '57P01',
    '57P02',
    '57P03',
    '57014',
    '58030',
    '25006',
    '25P03',
    '28P01',
    '3D000',
    '3F000',
    '42P01',
    '42501',
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EPIPE',
  ])('(%s) defers the delivery and counts no attempt', (code) => {
    const cause = withCode(code)
    const error = toDatabaseError(cause)
    expect(error).toBeInstanceOf(DeferError)
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE', cause })
    expect(error.message).toContain(code)
  })

  test.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout expired',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
    'Cannot use a pool after calling end on the pool',
  ])('is known by the message "%s", which comes without a code', (message) => {
    expect(toDatabaseError(new Error(message))).toBeInstanceOf(DeferError)
  })

  test('is known by the code of a connect that tried several addresses', () => {
    const error = Object.assign(new AggregateError([withCode('ECONNREFUSED')], ''), { code: 'ECONNREFUSED' })
    expect(toDatabaseError(error)).toBeInstanceOf(DeferError)
  })
})

describe('a conflict with another transaction', () => {
  test.each(['40001', '40P01', '55P03'])('(%s) is retried', (code) => {
    const error = toDatabaseError(withCode(code))
    expect(error).toBeInstanceOf(RetryableError)
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })
})

describe('a fault of the data', () => {
  test.each(['22021', '22P05', '22P02', '22003', '23505', '23502', '54001'])('(%s) is left to the caller', (code) => {
    const error = withCode(code)
    expect(toDatabaseError(error)).toBe(error)
    expect(isDataFault(error)).toBe(true)
  })

  test.each(['08006', '40001', '42601', '54000', '57014', 'ECONNRESET', 'EPIPE', 'ENOENT'])('is not %s', (code) => {
    expect(isDataFault(withCode(code))).toBe(false)
  })

  test.each([undefined, null, 'text', new Error('no code'), { code: 22 }])('is not %s', (value) => {
    expect(isDataFault(value)).toBe(false)
  })
})

describe('anything else', () => {
  test.each([new TypeError('a bug'), withCode('42601'), withCode('ENOENT'), new Error('Connection refused by policy')])(
    'stays as it is: %s',
    (error) => {
      expect(toDatabaseError(error)).toBe(error)
    },
  )

  test.each([new DeferError('d'), new RetryableError('r'), new PermanentError('p')])(
    'that is classified already stays as it is: %s',
    (error) => {
      expect(toDatabaseError(error)).toBe(error)
    },
  )

  test('that is not an Error becomes one, without its contents', () => {
    expect(toDatabaseError({ content: 'my secret' }).message).not.toContain('my secret')
  })
})
