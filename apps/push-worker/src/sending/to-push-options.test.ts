import { InvalidMessageError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { toPushOptions } from './to-push-options.js'

const withData = (data: Record<string, unknown> | undefined) => toPushOptions({ data })

const issuesOf = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error instanceof InvalidMessageError ? error.issues : error
  }
  return []
}

test('without any of them the push service keeps it for a day', () => {
  for (const data of [undefined, {}, { other: 1 }]) {
    expect(withData(data)).toEqual({ ttlSeconds: 86_400, urgency: 'normal' })
  }
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
