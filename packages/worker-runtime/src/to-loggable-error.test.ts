import { describe, expect, test } from 'vitest'
import { toLoggableError } from './to-loggable-error.js'

describe('toLoggableError', () => {
  test('tells type, message, code and the whole chain of causes', () => {
    const root = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
    const error = new TypeError('outer', { cause: new Error('middle', { cause: root }) })
    expect(toLoggableError(error)).toMatchObject({
      type: 'TypeError',
      message: 'outer',
      stack: expect.stringContaining('to-loggable-error.test'),
      cause: {
        message: 'middle',
        cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', syscall: 'connect' },
      },
    })
  })

  test('tells every error of an AggregateError', () => {
    const error = new AggregateError([new Error('one'), new Error('two')], 'both')
    expect(toLoggableError(error)).toMatchObject({ message: 'both', errors: [{ message: 'one' }, { message: 'two' }] })
  })

  test('ends a circle of causes', () => {
    const error = new Error('round')
    error.cause = error
    expect(() => JSON.stringify(toLoggableError(error))).not.toThrow()
  })

  test('leaves out what PostgreSQL quotes of the row', () => {
    const error = Object.assign(new Error('invalid input syntax for type bigint: "my secret"'), {
      code: '22P02',
      detail: 'Failing row contains (my secret).',
      where: "unnamed portal parameter $1 = 'my secret'",
      internalQuery: 'my secret',
      table: 'events',
    })
    const text = JSON.stringify(toLoggableError(error))
    expect(text).not.toContain('my secret')
    expect(toLoggableError(error)).toMatchObject({
      message: 'invalid input syntax for type bigint: [redacted]',
      code: '22P02',
      table: 'events',
    })
  })

  test('leaves out what JSON.parse quotes of the body', () => {
    for (const body of ['my secret', '{"a": my secret}', "'my secret'"]) {
      const error = toError(() => JSON.parse(body))
      expect(error).toBeInstanceOf(SyntaxError)
      expect(JSON.stringify(toLoggableError(error))).not.toMatch(/secret|my se/)
    }
  })

  test('leaves out fields that libraries add, and addresses in their messages', () => {
    const error = Object.assign(new Error('550 jane@example.org unknown at smtp://u:hunter2@mail'), {
      rejected: ['jane@example.org'],
      response: '550 jane@example.org',
      request: { body: 'hello' },
    })
    expect(JSON.stringify(toLoggableError(error))).not.toMatch(/jane|hunter2|hello/)
  })

  test('tells only the kind of an object that was thrown instead of an error', () => {
    expect(toLoggableError({ content: 'my secret' })).toEqual({
      type: 'object',
      message: 'an object that is not an Error',
    })
    expect(toLoggableError(undefined)).toEqual({ type: 'undefined', message: 'undefined' })
  })
})

function toError(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}
