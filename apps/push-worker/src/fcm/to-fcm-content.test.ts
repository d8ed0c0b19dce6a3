import type { PushOptions } from '@mono/contracts'
import { describe, expect, test } from 'vitest'
import type { PushMessage } from '../sending/push-channel.js'
import { countPayloadBytes, toFcmContent } from './to-fcm-content.js'

const plain: PushOptions = { ttlSeconds: 60, urgency: 'normal', extras: {} }

function contentOf(options: Partial<PushOptions> = {}, data?: PushMessage['notification']['data']) {
  const notification = { title: 'Hello', body: 'Ada', ...(data && { data }) }
  return toFcmContent({ notification, messageId: 'message-1', options: { ...plain, ...options } })
}

test('a notification is shown, and replaces itself when it comes again', () => {
  expect(contentOf()).toEqual({
    content: {
      notification: { title: 'Hello', body: 'Ada' },
      android: { priority: 'NORMAL', ttl: '60s', notification: { tag: 'message-1' } },
    },
    reservedKeys: 0,
  })
})

test.each([
  ['very-low', 'NORMAL'],
  ['low', 'NORMAL'],
  ['normal', 'NORMAL'],
  ['high', 'HIGH'],
] as const)('the urgency %s is the priority %s', (urgency, priority) => {
  expect(contentOf({ urgency }).content.android.priority).toBe(priority)
})

test('of a topic only the newest is kept, and shown', () => {
  expect(contentOf({ topic: 'news' }).content.android).toEqual({
    priority: 'NORMAL',
    ttl: '60s',
    collapse_key: 'news',
    notification: { tag: 'news' },
  })
})

test('what only phones have goes where Android looks for it', () => {
  const extras = { badge: 3, sound: 'ping', image: 'https://example.com/a.png', androidChannel: 'chat', threadId: 't' }
  expect(contentOf({ extras }).content).toEqual({
    notification: { title: 'Hello', body: 'Ada', image: 'https://example.com/a.png' },
    android: {
      priority: 'NORMAL',
      ttl: '60s',
      notification: { tag: 'message-1', channel_id: 'chat', sound: 'ping', notification_count: 3 },
    },
  })
})

test('a badge of 0 is left out', () => {
  expect(contentOf({ extras: { badge: 0 } }).content.android.notification).toEqual({ tag: 'message-1' })
})

test('what is silent has data only', () => {
  expect(contentOf({ extras: { silent: true }, topic: 'sync' }, { changed: 'chat' }).content).toEqual({
    data: { changed: 'chat' },
    android: { priority: 'NORMAL', ttl: '60s', collapse_key: 'sync' },
  })
})

describe('data', () => {
  test('is a map of strings, with the others as JSON', () => {
    const data = { text: 'a "b"', number: 7, flag: true, none: null, list: [1, '2'], object: { a: { b: 1 } } }
    expect(contentOf({}, data).content.data).toEqual({
      text: 'a "b"',
      number: '7',
      flag: 'true',
      none: 'null',
      list: '[1,"2"]',
      object: '{"a":{"b":1}}',
    })
  })

  test('goes without `push`, and with what else speaks to push services', () => {
    const data = { push: { badge: 1 }, ttl: 60, urgency: 'high', topic: 'news' }
    expect(contentOf({}, data).content.data).toEqual({ ttl: '60', urgency: 'high', topic: 'news' })
  })

  test('goes without the keys that FCM reserves, which are counted', () => {
    const data = { from: 1, message_type: 2, google: 3, 'google.c.a': 4, gcm: 5, gcmSender: 6 }
    const kept = { fromUser: 'a', message_types: 'b', Google: 'c', agcm: 'd' }
    expect(contentOf({}, { ...data, ...kept })).toMatchObject({ content: { data: kept }, reservedKeys: 6 })
    expect(contentOf({}, data).content).not.toHaveProperty('data')
  })

  test('may have any other key', () => {
    const data = JSON.parse('{"__proto__":"a","constructor":"b"}')
    expect(Object.entries(contentOf({}, data).content.data ?? {})).toEqual(Object.entries(data))
  })
})

test('the bytes are those of keys and values of what is shown and of the data, in UTF-8', () => {
  // They are title, Hello, body, Ada, and tag, message-1.
  expect(countPayloadBytes(contentOf().content)).toBe(5 + 5 + 4 + 3 + 3 + 9)
  expect(countPayloadBytes(contentOf({}, { ключ: '🔔' }).content)).toBe(29 + 8 + 4)
  const silent = contentOf({ extras: { silent: true }, topic: 'sync' }, { changed: 12 }).content
  expect(countPayloadBytes(silent)).toBe(7 + 2)
  expect(countPayloadBytes(contentOf({ extras: { badge: 12 } }).content)).toBe(29 + 18 + 2)
})
