import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidMessageError } from '@mono/contracts'
import { describe, expect, test } from 'vitest'
import { failureCodes } from '../../errors/failure-codes.js'
import { DeferError, PermanentError, RetryableError } from '../../errors/handler-errors.js'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import { classifyFailure } from './classify-failure.js'

const networkFailure = { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }

describe('classifyFailure', () => {
  test.each(failureCodes)('keeps the code %s of what a handler throws on purpose', (code) => {
    expect(classifyFailure(new RetryableError('', { code }))).toMatchObject({ kind: 'retry', code })
    expect(classifyFailure(new PermanentError('', { code }))).toMatchObject({ kind: 'dead-letter', code })
    expect(classifyFailure(new DeferError('', { code }))).toMatchObject({ kind: 'defer', code })
    expect(classifyFailure(new InvalidDeliveryError(code, ''))).toMatchObject({ kind: 'dead-letter', code })
  })

  test('keeps the delay that a DeferError asks for', () => {
    expect(classifyFailure(new DeferError('', { delayMs: 30_000 })).delayMs).toBe(30_000)
  })

  test('gives up a message that a handler finds invalid', () => {
    const error = new InvalidMessageError('chat.message', [{ path: 'content', reason: 'expected less' }])
    expect(classifyFailure(error)).toEqual({ kind: 'dead-letter', code: 'INVALID_MESSAGE', error })
  })

  test.each(
    [TypeError, ReferenceError, RangeError, SyntaxError, EvalError, URIError].map((type) => [type.name, type] as const),
  )('gives up on a programming error: %s', (_name, ProgrammingError) => {
    const error = new ProgrammingError('oops')
    expect(classifyFailure(error)).toEqual({ kind: 'dead-letter', code: 'HANDLER_BUG', error })
  })

  test('gives up on a subclass of a programming error', () => {
    class OwnTypeError extends TypeError {}
    expect(classifyFailure(new OwnTypeError('oops')).code).toBe('HANDLER_BUG')
  })

  test.each([
    ['before the answer', 'fetch failed'],
    ['in the middle of its body', 'terminated'],
  ])('tells a network that failed %s from a bug, though fetch throws a TypeError for both', (_when, message) => {
    const error = new TypeError(message, networkFailure)
    expect(classifyFailure(error)).toEqual({ kind: 'retry', code: 'UNCLASSIFIED', error })
    expect(classifyFailure(new TypeError(message)).code).toBe('HANDLER_BUG')
    expect(classifyFailure(new TypeError('x is not a function', networkFailure)).code).toBe('HANDLER_BUG')
  })

  test('retries what fetch throws when the peer hangs up in the middle of its answer', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half of it', () => response.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const thrown = await fetch(`http://127.0.0.1:${port}`)
      .then((response) => response.text())
      .catch((error: unknown) => error)
    server.close()
    expect(classifyFailure(thrown)).toMatchObject({ kind: 'retry', code: 'UNCLASSIFIED' })
  })

  test.each([
    ['an Error', new Error('no idea')],
    ['an AbortError', new DOMException('aborted', 'AbortError')],
    ['an AggregateError', new AggregateError([], 'all of them')],
  ])('retries what nobody classified: %s', (_what, error) => {
    expect(classifyFailure(error)).toEqual({ kind: 'retry', code: 'UNCLASSIFIED', error })
  })

  test.each([
    ['text', 'string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'number'],
    [{ secret: 'hunter2' }, 'object'],
  ])('retries %j, which is no Error, and says what kind of value was thrown', (thrown, kind) => {
    const { error, ...failure } = classifyFailure(thrown)
    expect(failure).toEqual({ kind: 'retry', code: 'UNCLASSIFIED' })
    expect(error.message).toBe(`expected an Error, but ${kind} was thrown`)
    expect(error.cause).toBe(thrown)
  })
})
