import { expect, test } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { findOrigin } from './find-origin.js'

const queue = 'push.notifications'
const byHand = { exchange: '', routingKey: queue }
const stated = (exchange: unknown, routingKey: unknown) => ({
  'x-original-exchange': exchange,
  'x-original-routing-key': routingKey,
})
const death = { queue, reason: 'expired', exchange: 'notifications', 'routing-keys': ['push.web'] }

function find(parts: { exchange: string; routingKey: string }, headers: Record<string, unknown>) {
  return findOrigin(queue, createConsumeMessage(parts), headers)
}

test.each([
  ['its headers', stated('notifications', 'push.mobile'), 'push.mobile'],
  ['what the broker has noted', { 'x-death': [death] }, 'push.web'],
  [
    'what the broker has noted, if its headers name no exchange',
    { ...stated('', queue), 'x-death': [death] },
    'push.web',
  ],
])('a dead letter that is moved by hand was published as %s', (_what, headers, routingKey) => {
  expect(find(byHand, headers)).toEqual({ exchange: 'notifications', routingKey, from: 'moved' })
})

test.each([
  ['nothing', {}],
  ['the exchange of another queue', stated('audit', 'audit.track')],
  ['the exchange of browsers', stated('realtime', 'chat.1.1')],
  ['no text', stated(1, 'push.web')],
  ['a death in another queue', { 'x-death': [{ ...death, queue: 'audit.events' }] }],
])('a message by hand that names %s is what its delivery says', (_what, headers) => {
  expect(find(byHand, headers)).toEqual({ ...byHand, from: 'publisher' })
})

test('a publisher’s word does not count', () => {
  const published = { exchange: 'notifications', routingKey: 'push.all' }
  expect(find(published, stated('notifications', 'push.mobile'))).toEqual({ ...published, from: 'publisher' })
})
