import { examples, type PushNotification } from '@mono/contracts'
import { InvalidMessageError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { toPushContent } from './to-push-content.js'

const notification = (fields: Partial<PushNotification> = {}): PushNotification => ({
  ...examples['push.notification'],
  ...fields,
})

const withData = (data: Record<string, unknown>) => toPushContent(notification({ data }), 'message-1')

const issuesOf = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error instanceof InvalidMessageError ? error.issues : error
  }
  return []
}

test('the payload is title, body, data and the message id as tag, and no recipients', () => {
  const { title, body, data } = notification()
  expect(JSON.parse(toPushContent(notification(), 'message-1').payload.toString())).toEqual({
    title,
    body,
    data,
    tag: 'message-1',
  })
})

test('without data there is none, and the push service keeps it for a day', () => {
  const { payload, ...options } = toPushContent(notification({ data: undefined }), 'm')
  expect(JSON.parse(payload.toString())).not.toHaveProperty('data')
  expect(options).toEqual({ ttlSeconds: 86_400, urgency: 'normal' })
})

describe('data.ttl, data.urgency and data.topic', () => {
  test('are for the push service', () => {
    expect(withData({ ttl: 60, urgency: 'high', topic: 'room-7_A' })).toMatchObject({
      ttlSeconds: 60,
      urgency: 'high',
      topic: 'room-7_A',
    })
    expect(withData({ ttl: 0 }).ttlSeconds).toBe(0)
    expect(withData({ ttl: 2_419_200 }).ttlSeconds).toBe(2_419_200)
  })

  test.each([-1, 2_419_201, 1.5, '60', null])('a ttl of %j is refused', (ttl) => {
    expect(issuesOf(() => withData({ ttl }))).toMatchObject([{ path: 'data.ttl' }])
  })

  test.each(['urgent', '', 1, null])('an urgency of %j is refused', (urgency) => {
    expect(issuesOf(() => withData({ urgency }))).toMatchObject([{ path: 'data.urgency' }])
  })

  test.each(['', 'a'.repeat(33), 'room 7', 'räum', 'a\r\nb', 7, null])('a topic of %j is refused', (topic) => {
    expect(issuesOf(() => withData({ topic }))).toMatchObject([{ path: 'data.topic' }])
  })

  test('are refused together, and no value is in the message', () => {
    const issues = issuesOf(() => withData({ ttl: 'hidden!', urgency: 'hidden!', topic: 'hidden!' }))
    expect(issues).toHaveLength(3)
    expect(JSON.stringify(issues)).not.toContain('hidden!')
  })
})

test('3993 bytes are taken and 3994 are not', () => {
  const empty = toPushContent(notification({ body: '' }), 'm').payload.length
  const ofLength = (bytes: number) => toPushContent(notification({ body: 'x'.repeat(bytes - empty) }), 'm')
  expect(ofLength(3993).payload).toHaveLength(3993)
  expect(issuesOf(() => ofLength(3994))).toEqual([
    { path: '', reason: 'expected title, body, data and tag to take at most 3993 bytes, found 3994' },
  ])
})

test('the largest notification that the contracts let pass is taken, with the longest id', () => {
  const rest = Buffer.byteLength(JSON.stringify({ title: '', body: '', data: {} }))
  const largest = notification({ title: '', body: 'x'.repeat(3500 - rest), data: {} })
  expect(() => toPushContent(largest, '"'.repeat(128))).not.toThrow()
})
