import { describe, expect, test } from 'vitest'
import { findPushDataFaults, toPushOptions } from './push-data.js'

const everything = {
  badge: 0,
  sound: 'default',
  image: 'https://example.com/a.png',
  androidChannel: 'news',
  threadId: 'thread-1',
  silent: false,
}

describe('data of a push notification', () => {
  test.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['keys of the application', { unread: 3, nested: { aps: 1, ttl: 'x' } }],
    ['what the push services read', { ttl: 0, urgency: 'very-low', topic: 'a_B-9', push: everything }],
    ['the most', { ttl: 2_419_200, push: { badge: 2 ** 31 - 1, sound: 'x'.repeat(255) } }],
    ['silence with what is not shown', { push: { silent: true, threadId: 't', androidChannel: 'c' } }],
    ['an empty list of PHP for no extras', { push: [] }],
    ['null for what is left out', { ttl: null, urgency: null, topic: null, push: null }],
    ['null for what is left out of the extras', { push: { badge: null, silent: true } }],
  ])('takes %s', (_name, data) => {
    expect(findPushDataFaults(data)).toEqual([])
  })

  test.each<[Record<string, unknown>, PropertyKey[], string]>([
    [{ ttl: 1.5 }, ['ttl'], 'expected an integer of seconds from 0 to 2419200, found a number'],
    [{ ttl: 2_419_201 }, ['ttl'], 'expected an integer'],
    [{ urgency: 'urgent' }, ['urgency'], 'expected one of very-low, low, normal, high, found a string'],
    [{ topic: 'not one' }, ['topic'], 'expected 1 to 32 characters'],
    [{ topic: '' }, ['topic'], 'an empty string'],
    [{ topic: 'a\r\nb' }, ['topic'], 'expected 1 to 32 characters'],
    [{ topic: 'a'.repeat(33) }, ['topic'], 'a string of 33 characters'],
    [{ aps: {} }, ['aps'], 'reserved by Apple'],
    [{ push: 'loud' }, ['push'], 'expected an object, found a string'],
    [{ push: [1] }, ['push'], 'expected an object, found an array'],
    [{ push: { bagde: 1 } }, ['push', 'bagde'], 'expected one of badge, sound, image'],
    [{ push: { badge: -1 } }, ['push', 'badge'], 'expected an integer from 0 to 2147483647'],
    [{ push: { badge: '1' } }, ['push', 'badge'], 'found a string'],
    [{ push: { sound: '' } }, ['push', 'sound'], 'an empty string'],
    [{ push: { androidChannel: 'ä'.repeat(128) } }, ['push', 'androidChannel'], 'at most 255 bytes, found 256'],
    [{ push: { threadId: 7 } }, ['push', 'threadId'], 'expected a string, found a number'],
    [{ push: { image: 'http://example.com/a.png' } }, ['push', 'image'], 'expected an https: URL'],
    [{ push: { image: 'a.png' } }, ['push', 'image'], 'expected an https: URL'],
    [{ push: { silent: 'true' } }, ['push', 'silent'], 'expected a boolean'],
    [{ push: { silent: true, badge: 1 } }, ['push', 'badge'], 'expected nothing beside silent: true'],
  ])('%o is refused, and the fault named', (data, path, reason) => {
    expect(findPushDataFaults(data)).toEqual([{ path, reason: expect.stringContaining(reason) }])
  })

  test('names each fault, without the value', () => {
    const faults = findPushDataFaults({ ttl: 'hidden!', urgency: 'hidden!', push: { sound: 7, badge: 'hidden!' } })
    expect(faults.map(({ path }) => path.join('.'))).toEqual(['ttl', 'urgency', 'push.sound', 'push.badge'])
    expect(JSON.stringify(faults)).not.toContain('hidden!')
  })

  test('names so many unknown keys, and no more', () => {
    const push = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, 1]))
    expect(findPushDataFaults({ push })).toHaveLength(100)
  })

  test('is read with defaults', () => {
    const byDefault = { ttlSeconds: 86_400, urgency: 'normal', extras: {} }
    const nulls = { ttl: null, urgency: null, topic: null, push: { badge: null } }
    for (const data of [undefined, {}, { other: 1 }, nulls, { push: null }])
      expect(toPushOptions(data)).toEqual(byDefault)
    expect(toPushOptions({ ttl: 0, urgency: 'high', topic: 't', push: everything })).toEqual({
      ttlSeconds: 0,
      urgency: 'high',
      topic: 't',
      extras: everything,
    })
  })
})
