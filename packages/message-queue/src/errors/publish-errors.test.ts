import { expect, test } from 'vitest'
import * as errors from './publish-errors.js'

const classes = Object.entries(errors) as unknown as [string, new (message: string, options: object) => Error][]

test.each(classes)('%s bears its own name, keeps the cause and the message id', (name, ErrorClass) => {
  const cause = new Error('socket hang up')
  const error = new ErrorClass('no', {
    cause,
    messageId: 'm1',
    reason: 'deadline',
    exchange: 'e',
    routingKey: 'k',
    user: 'u',
  })
  expect(error).toMatchObject({ name, message: 'no', cause, messageId: 'm1' })
  expect(error).toBeInstanceOf(Error)
})

test('the codes are stable', () => {
  const codes = classes.map(([, ErrorClass]) => (new ErrorClass('no', {}) as Error & { code: string }).code)
  expect(codes.sort()).toEqual([
    'PUBLISH_FORBIDDEN',
    'PUBLISH_TIMEOUT',
    'QUEUE_FULL',
    'QUEUE_UNAVAILABLE',
    'UNROUTABLE',
  ])
})

test('an unavailable queue says why, an unroutable message where to', () => {
  expect(new errors.QueueUnavailableError('no', { reason: 'buffer-full' }).reason).toBe('buffer-full')
  expect(new errors.UnroutableMessageError('no', { exchange: 'e', routingKey: 'k' })).toMatchObject({
    exchange: 'e',
    routingKey: 'k',
    messageId: undefined,
  })
})
