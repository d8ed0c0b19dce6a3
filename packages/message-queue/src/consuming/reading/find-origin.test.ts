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

test('the broker’s word about a moved message counts more than its headers', () => {
  const headers = { ...stated('notifications', 'push.mobile'), 'x-death': [death] }
  expect(find(byHand, headers)).toMatchObject({ routingKey: 'push.web', from: 'moved' })
})

test.each([
  ['the broker', { 'x-death': [{ ...death, time: { '!': 'timestamp', value: 1_700_000_000 } }] }, 1_700_000_001_000],
  ['a worker', { ...stated('notifications', 'push.web'), 'x-failed-at': '2026-01-02T03:04:05.678Z' }, 1767323045678],
])('a moved message says when it was given up by %s', (_who, headers, at) => {
  expect(find(byHand, headers)?.diedAt).toEqual(new Date(at))
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
