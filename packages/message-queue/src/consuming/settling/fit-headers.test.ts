import { describe, expect, test } from 'vitest'
import { headerBytes } from '../../header-bytes.js'
import { maxHeaderBytes } from '../../headers.js'
import { fitHeaders } from './fit-headers.js'

const ours = {
  'x-tenant-id': 42,
  'x-attempts': 1,
  'x-original-exchange': 'audit',
  'x-original-routing-key': 'audit.track',
  'x-failure-code': 'INVALID_MESSAGE',
  'x-failed-at': '2025-04-01T10:00:00.000Z',
}
const leftOut = 'x-headers-left-out'

function textOf(bytes: number): string {
  return 'x'.repeat(bytes)
}

function fitted(headers: Record<string, unknown>, maxBytes = 8_000) {
  const result = fitHeaders(headers, maxBytes)
  expect(headerBytes(result)).toBeLessThanOrEqual(maxBytes)
  return result
}

describe('the headers of a copy', () => {
  test('are what they are if they can be sent', () => {
    const headers = { ...ours, own: textOf(5_000), 'x-failure-stack': textOf(2_000) }
    expect(fitted(headers)).toEqual(headers)
    expect(fitted(headers, headerBytes(headers))).toEqual(headers)
  })

  test('lose the end of the stack first', () => {
    const headers = {
      ...ours,
      own: textOf(5_000),
      'x-failure-message': textOf(1_000),
      'x-failure-stack': textOf(3_000),
    }
    const copied = fitted(headers)
    expect(copied).toEqual({ ...headers, 'x-failure-stack': expect.stringMatching(/^x{1000,2000}$/) })
    expect(headerBytes(copied)).toBe(8_000)
  })

  test('lose the stack, then the end of the messages, before one of the publisher is lost', () => {
    const headers = {
      ...ours,
      own: textOf(7_000),
      'x-first-failure-message': textOf(1_000),
      'x-failure-message': textOf(1_000),
      'x-failure-stack': textOf(3_000),
    }
    const { 'x-failure-stack': _stack, ...others } = headers
    expect(fitted(headers)).toEqual({
      ...others,
      'x-first-failure-message': textOf(128),
      'x-failure-message': expect.stringMatching(/^x{500,700}$/),
    })
  })

  test('keep whole characters when a message is cut', () => {
    const headers = { ...ours, own: textOf(7_500), 'x-failure-message': '😀'.repeat(250) }
    expect(fitted(headers)['x-failure-message']).toMatch(/^😀{32,80}$/u)
  })

  test('lose the largest of the publisher, say so, and get back the room for our own', () => {
    const headers = { ...ours, small: 1, big: textOf(7_900), medium: textOf(500), 'x-failure-message': textOf(1_000) }
    const { big: _big, ...others } = headers
    expect(fitted(headers)).toEqual({ ...others, [leftOut]: '1: big' })
  })

  test('count those that were left out of earlier copies', () => {
    const headers = { ...ours, [leftOut]: '2: huge, giant', big: textOf(7_900), small: 1 }
    expect(fitted(headers)[leftOut]).toBe('3: huge, giant, big')
    expect(fitted({ ...headers, [leftOut]: 'boo' })[leftOut]).toBe('1: big')
  })

  test('name only as many of them as have room', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}`.padStart(200, 'n'), textOf(500)]))
    const text = String(fitted({ ...ours, ...many })[leftOut])
    expect(text).toMatch(/^\d\d: n+/)
    expect(text).toHaveLength(255)
  })

  test('lose those of the publisher that are too large to be sent on, and keep those of ours', () => {
    const headers = { ...ours, small: 1, big: textOf(70 * 1024), bigger: textOf(80 * 1024) }
    expect(fitted(headers, 63 * 1024)).toEqual({ ...ours, small: 1, [leftOut]: '2: big, bigger' })
  })

  test.each([
    ['many small ones', Array(14_000).fill([])],
    ['some nested 9,000 deep', JSON.parse('['.repeat(9_000) + ']'.repeat(9_000))],
    ['one that amqplib cannot encode', Number.NaN],
  ])('lose one of the publisher if there are %s in it', (_what, value) => {
    expect(fitted({ ...ours, value, other: 1 }, 63 * 1024)).toEqual({ ...ours, other: 1, [leftOut]: '1: value' })
  })

  test('keep most of the publisher if they are many and more than can be sent', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`h${n}`, textOf(1_000)]))
    const kept = Object.keys(fitted({ ...ours, ...many }, 63 * 1024)).filter((name) => name.startsWith('h'))
    expect(kept.length).toBeGreaterThan(30)
    expect(kept.length).toBeLessThanOrEqual(maxHeaderBytes / 1_000)
  })

  test('keep what is needed to come back and to be understood, however little room there is', () => {
    const forged = { tracestate: textOf(1_000), 'x-failed-by': textOf(1_000), 'x-first-failure-message': textOf(1_000) }
    const headers = { ...ours, ...forged, own: textOf(3_000), 'x-failure-message': textOf(1_000) }
    expect(fitted(headers, 700)).toMatchObject({ ...ours, 'x-failure-message': textOf(128) })
  })
})
