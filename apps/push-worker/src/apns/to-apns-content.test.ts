import { toPushOptions } from '@mono/contracts'
import { describe, expect, test } from 'vitest'
import type { PushMessage } from '../sending/push-channel.js'
import { toApnsContent } from './to-apns-content.js'

const publishedAt = new Date('2026-11-30T12:00:00.900Z')
const publishedSeconds = 1_796_040_000
const day = 24 * 60 * 60

const message = (data?: Record<string, unknown>, fields: Partial<PushMessage> = {}): PushMessage => ({
  notification: { title: 'Hello', body: 'Ada', data },
  tenantId: 42,
  messageId: 'message-1',
  publishedAt,
  options: toPushOptions(data),
  ...fields,
})

const contentOf = (data?: Record<string, unknown>, fields?: Partial<PushMessage>) => {
  const content = toApnsContent(message(data, fields), 'com.example.app')
  if (!content) throw new Error('Expected a content, found none')
  return { headers: content.headers, payload: JSON.parse(content.payload.toString()) }
}

const collapseIdOf = (data?: Record<string, unknown>, fields?: Partial<PushMessage>) =>
  contentOf(data, fields).headers['apns-collapse-id']

test('a notification without data is an alert for the topic, kept for a day', () => {
  expect(contentOf()).toEqual({
    headers: {
      'apns-topic': 'com.example.app',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': String(publishedSeconds + day),
      'apns-collapse-id': expect.stringMatching(/^[\w-]{43}$/),
    },
    payload: { aps: { alert: { title: 'Hello', body: 'Ada' } } },
  })
})

test('data lies beside aps, without what was told in Apple’s words', () => {
  const push = { badge: 0, sound: 'ping.caf', threadId: 'lunch', androidChannel: 'chat' }
  expect(contentOf({ id: 7, nested: { a: [null] }, ttl: 60, push }).payload).toEqual({
    aps: { alert: { title: 'Hello', body: 'Ada' }, badge: 0, sound: 'ping.caf', 'thread-id': 'lunch' },
    id: 7,
    nested: { a: [null] },
    ttl: 60,
  })
})

test('an image is for the notification service extension, which is woken for it', () => {
  const image = 'https://example.com/a.png'
  expect(contentOf({ push: { image, badge: null } }).payload).toEqual({
    aps: { alert: { title: 'Hello', body: 'Ada' }, 'mutable-content': 1 },
    push: { image },
  })
})

test('a silent notification shows nothing and has the priority that Apple admits', () => {
  const { headers, payload } = contentOf({ id: 7, urgency: 'high', push: { silent: true, threadId: 'lunch' } })
  expect(headers).toMatchObject({ 'apns-push-type': 'background', 'apns-priority': '5' })
  expect(payload).toEqual({ aps: { 'content-available': 1 }, id: 7, urgency: 'high' })
})

test.each([
  ['high', '10'],
  ['normal', '10'],
  ['low', '5'],
  ['very-low', '5'],
])('urgency %s is priority %s', (urgency, priority) => {
  expect(contentOf({ urgency }).headers['apns-priority']).toBe(priority)
})

test.each([
  [0, '0'],
  [1, String(publishedSeconds + 1)],
  [day * 28, String(publishedSeconds + day * 28)],
])('a time to live of %i s expires at %s', (ttl, expiration) => {
  expect(contentOf({ ttl }).headers['apns-expiration']).toBe(expiration)
})

describe('the collapse id', () => {
  test('is the same at every try, of every device', () => {
    expect(collapseIdOf()).toBe(collapseIdOf({ any: 'data' }))
  })

  test('is another for another message, topic or tenant, and a message is not taken for a topic', () => {
    const topic = 'message-1'
    const ids = [
      collapseIdOf(),
      collapseIdOf({}, { messageId: 'message-2' }),
      collapseIdOf({}, { tenantId: 43 }),
      collapseIdOf({ topic }),
      collapseIdOf({ topic }, { tenantId: 43 }),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('of a topic is the same for all of its messages', () => {
    expect(collapseIdOf({ topic: 'news' })).toBe(collapseIdOf({ topic: 'news' }, { messageId: 'message-2' }))
  })
})

test('Apple takes 4096 bytes, and not one more', () => {
  const empty = JSON.stringify({ aps: { alert: { title: '', body: '' } } })
  const ofSize = (bytes: number) =>
    toApnsContent({ ...message(), notification: { title: '', body: 'x'.repeat(bytes - empty.length) } }, 'a')
  expect(ofSize(4096)?.payload).toHaveLength(4096)
  expect(ofSize(4097)).toBeUndefined()
})
