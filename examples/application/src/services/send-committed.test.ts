import { InvalidMessageError } from '@mono/contracts'
import {
  PublishForbiddenError,
  PublishTimeoutError,
  QueueFullError,
  QueueUnavailableError,
  UnroutableMessageError,
} from '@mono/message-queue'
import { expect, test } from 'vitest'
import { findFailure } from './send-committed.js'

const route = { exchange: 'messages', routingKey: 'chat.direct' }

test.for([
  new QueueUnavailableError('away', { reason: 'deadline' }),
  new QueueFullError('full'),
  new UnroutableMessageError('not there', route),
  new PublishTimeoutError('no answer'),
])('nothing is wrong with a message because of $code', (error) => {
  expect(findFailure(error)).toBeUndefined()
})

test.for([
  [new InvalidMessageError('chat.message', [{ path: 'content', reason: 'expected string' }]), 'INVALID_MESSAGE'],
  [new PublishForbiddenError('not yours', { ...route, user: 'publisher' }), 'PUBLISH_FORBIDDEN'],
  [new TypeError('a fault'), 'UNCLASSIFIED'],
] as const)('%s is wrong tomorrow as well', ([error, code]) => {
  expect(findFailure(error)).toEqual({ code, reason: expect.stringContaining(error.message) })
})
