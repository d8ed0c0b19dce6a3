import { expect, test } from 'vitest'
import { toError } from './to-error.js'

test('an error with a message stays as it is', () => {
  const error = new Error('no')
  expect(toError(error)).toBe(error)
})

test('a thrown value becomes the message', () => {
  expect(toError('no').message).toBe('no')
})

test('a host of which every address refuses is described by all of them', () => {
  const refused = [new Error('connect ECONNREFUSED ::1:5672'), new Error('connect ECONNREFUSED 127.0.0.1:5672')]
  const error = toError(new AggregateError(refused))
  expect(error.message).toBe('connect ECONNREFUSED ::1:5672; connect ECONNREFUSED 127.0.0.1:5672')
  expect(error.cause).toBeInstanceOf(AggregateError)
})

test('without a message the code has to do', () => {
  expect(toError(Object.assign(new Error(''), { code: 'ECONNREFUSED' })).message).toBe('ECONNREFUSED')
})
