import { expect, test } from 'vitest'
import { findDeath } from './find-death.js'

const retry = {
  queue: 'push.notifications.retry.10s',
  reason: 'expired',
  exchange: 'push.notifications.retry',
  'routing-keys': ['10s'],
}
const work = {
  queue: 'push.notifications',
  reason: 'rejected',
  exchange: 'notifications',
  'routing-keys': ['push.web', 'copy'],
}

test('finds how the message left the work queue, whatever happened before and after', () => {
  const death = { reason: 'rejected', exchange: 'notifications', routingKey: 'push.web' }
  expect(findDeath([retry, work], 'push.notifications')).toEqual(death)
  expect(findDeath([work, { ...work, exchange: 'older' }], 'push.notifications')).toEqual(death)
})

test('finds when, in the form in which amqplib reads a time', () => {
  const time = { '!': 'timestamp', value: 1_743_500_000 }
  expect(findDeath([{ ...work, time }], 'push.notifications')?.at).toEqual(new Date(1_743_500_000_000))
  expect(findDeath([{ ...work, time: 'boo' }], 'push.notifications')).not.toHaveProperty('at')
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
  ['routing keys that are no list', [{ ...work, 'routing-keys': 'push.web' }]],
])('finds nothing in %s', (_, deaths) => {
  expect(findDeath(deaths, 'push.notifications')).toBeUndefined()
})
