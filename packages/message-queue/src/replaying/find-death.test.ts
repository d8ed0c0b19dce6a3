import { expect, test } from 'vitest'
import { findDeath } from './find-death.js'

const retry = {
  queue: 'chat.messages.retry.1s',
  reason: 'expired',
  exchange: 'chat.messages.retry',
  'routing-keys': ['1s'],
}
const work = {
  queue: 'chat.messages',
  reason: 'rejected',
  exchange: 'messages',
  'routing-keys': ['chat.group', 'copy'],
}

test('finds how the message left the work queue, whatever happened before and after', () => {
  const death = { reason: 'rejected', exchange: 'messages', routingKey: 'chat.group' }
  expect(findDeath([retry, work], 'chat.messages')).toEqual(death)
  expect(findDeath([work, { ...work, exchange: 'older' }], 'chat.messages')).toEqual(death)
})

test.each([
  ['no x-death', undefined],
  ['text', 'boo'],
  ['another queue only', [retry]],
  ['no objects', [null, 1, 'boo']],
  ['no reason', [{ ...work, reason: undefined }]],
  ['an exchange that is no text', [{ ...work, exchange: 1 }]],
  ['no routing key', [{ ...work, 'routing-keys': [] }]],
  ['a routing key that is no text', [{ ...work, 'routing-keys': [1] }]],
  ['routing keys that are no list', [{ ...work, 'routing-keys': 'chat.group' }]],
])('finds nothing in %s', (_, deaths) => {
  expect(findDeath(deaths, 'chat.messages')).toBeUndefined()
})
