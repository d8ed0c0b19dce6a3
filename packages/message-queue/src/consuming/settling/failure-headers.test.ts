import { hostname } from 'node:os'
import type { RetryStep } from '@mono/rascal-config'
import { describe, expect, test } from 'vitest'
import { type ConsumeMessageParts, createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { GiveWayError } from '../../errors/handler-errors.js'
import type { Settlement } from './decide-settlement.js'
import { failureHeaders } from './failure-headers.js'

type Headers = Record<string, unknown>
type Forward = Extract<Settlement, { attempts: number }>
type Failed = Exclude<Forward, { kind: 'give-way' }>

const step: RetryStep = { name: '10s', delayMs: 10_000 }
const error = new Error('no luck')
const retry: Failed = { kind: 'retry', step, code: 'PROVIDER_UNAVAILABLE', error, attempts: 1 }
const defer: Failed = { kind: 'defer', step, code: 'DATABASE_UNAVAILABLE', error, attempts: 0 }
const deadLetter: Failed = { kind: 'dead-letter', code: 'PROVIDER_REJECTED', error, attempts: 2 }
const forwards: [Failed['kind'], Failed][] = [
  ['retry', retry],
  ['defer', defer],
  ['dead-letter', deadLetter],
]

const backFromRetry = { exchange: 'push.notifications.retry', routingKey: 'work' }
const publishedAt = new Date('2025-04-01T09:30:00.250Z')
const now = new Date('2025-04-01T10:00:00.000Z')

function headersFor(forward: Forward, headers: Headers = {}, parts: ConsumeMessageParts = {}): Headers {
  const message = createConsumeMessage(parts)
  return failureHeaders(
    { queue: 'push.notifications', message, headers, publishedAt, workerName: 'push-worker' },
    forward,
    now,
  )
}

describe('a copy that is dead-lettered', () => {
  test('says where it came from and why it was dead-lettered', () => {
    expect(headersFor(deadLetter)).toMatchObject({
      'x-original-exchange': 'notifications',
      'x-original-routing-key': 'push.web',
      'x-failure-code': 'PROVIDER_REJECTED',
      'x-failure-message': 'no luck',
      'x-failure-stack': error.stack,
      'x-failed-at': '2025-04-01T10:00:00.000Z',
      'x-failed-by': `push-worker@${hostname()}`,
      'x-attempts': 2,
    })
  })

  test('does not say when it was published if its publisher did not', () => {
    expect(headersFor(deadLetter)).not.toHaveProperty('x-published-at')
  })

  test('keeps what its publisher says of the time, right or wrong', () => {
    expect(headersFor(deadLetter, { 'x-published-at': 'garbage' })['x-published-at']).toBe('garbage')
  })

  test('has no first failure if there was no earlier one', () => {
    expect(Object.keys(headersFor(deadLetter)).filter((name) => name.startsWith('x-first-failure'))).toEqual([])
  })

  test('keeps the first failure beside the last', () => {
    const first = {
      'x-first-failure-code': 'HANDLER_TIMEOUT',
      'x-first-failure-message': 'too slow',
      'x-first-failure-at': '2025-04-01T09:00:00.000Z',
    }
    expect(headersFor(deadLetter, first, backFromRetry)).toMatchObject({
      ...first,
      'x-failure-code': 'PROVIDER_REJECTED',
    })
  })

  test('keeps a first failure whose message has been cut', () => {
    const retried = headersFor({ ...retry, error: new Error('x'.repeat(5_000)) })
    expect(headersFor(deadLetter, retried, backFromRetry)['x-first-failure-message']).toBe('x'.repeat(1_024))
  })

  test('says why it was dead-lettered this time, not the time before', () => {
    const headers = headersFor(deadLetter, { 'x-failure-code': 'EXPIRED', 'x-failed-by': 'another' })
    expect(headers).toMatchObject({ 'x-failure-code': 'PROVIDER_REJECTED', 'x-failed-by': `push-worker@${hostname()}` })
  })

  test('has the first 4 KiB of a stack', () => {
    const long = Object.assign(new Error('no luck'), { stack: 'x'.repeat(10_000) })
    expect(headersFor({ ...deadLetter, error: long })['x-failure-stack']).toBe('x'.repeat(4_096))
  })

  test.each([
    ['é', 2],
    ['€', 3],
    ['😀', 4],
  ])('has no half character %s at the end of a stack', (character, bytes) => {
    for (let shift = 0; shift < bytes; shift += 1) {
      const stack = 'x'.repeat(shift) + character.repeat(5_000)
      const text = headersFor({ ...deadLetter, error: Object.assign(new Error(), { stack }) })['x-failure-stack']
      expect(stack.startsWith(text as string)).toBe(true)
      expect(Buffer.byteLength(text as string)).toBeGreaterThan(4_096 - bytes)
      expect(Buffer.byteLength(text as string)).toBeLessThanOrEqual(4_096)
    }
  })

  test('copes with an error whose message and stack are no text', () => {
    const strange = Object.assign(new Error(), { message: undefined, stack: 7 }) as unknown as Error
    expect(headersFor({ ...deadLetter, error: strange })).toMatchObject({
      'x-failure-message': 'undefined',
      'x-failure-stack': '7',
    })
  })

  test('copes with an error that has no stack', () => {
    const bare = Object.assign(new Error('no luck'), { stack: undefined })
    expect(headersFor({ ...deadLetter, error: bare as unknown as Error })['x-failure-stack']).toBe('')
  })
})

describe.each([
  ['retry', retry, 1],
  ['defer', defer, 0],
] as const)('a copy for a %s', (_kind, forward, attempts) => {
  test('says from now on when a replay was, whatever it said before', () => {
    for (const mark of [true, '2099-01-01T00:00:00Z']) {
      expect(headersFor(forward, { 'x-replay': mark })['x-replay']).toBe(publishedAt.toISOString())
    }
    expect(headersFor(forward)).not.toHaveProperty('x-replay')
  })

  test('carries the count of attempts and the first failure', () => {
    expect(headersFor(forward)).toMatchObject({
      'x-attempts': attempts,
      'x-first-failure-code': forward.code,
      'x-first-failure-message': 'no luck',
      'x-first-failure-at': '2025-04-01T10:00:00.000Z',
    })
  })

  test('keeps the first failure that it carries already', () => {
    const first = {
      'x-first-failure-code': 'HANDLER_TIMEOUT',
      'x-first-failure-message': 'too slow',
      'x-first-failure-at': '2025-04-01T09:00:00.000Z',
    }
    expect(headersFor(forward, first, backFromRetry)).toMatchObject(first)
  })

  test('passes on nothing that its publisher says of failures', () => {
    const forged = { 'x-first-failure-code': 'HANDLER_BUG', 'x-failed-by': 'forged', 'x-original-expiration': '1' }
    const headers = headersFor(forward, forged)
    expect(headers).toMatchObject({ 'x-first-failure-code': forward.code })
    expect(headers).not.toHaveProperty('x-failed-by')
    expect(headers).not.toHaveProperty('x-original-expiration')
  })

  test('is not dead-lettered and does not say so', () => {
    const names = Object.keys(headersFor(forward))
    expect(names.filter((name) => /^x-fail(ure|ed)-/.test(name))).toEqual([])
  })

  test.each([undefined, '2999-01-01T00:00:00.000Z'])(
    'carries the time from which its age was counted, where the publisher says %s',
    (text) => {
      expect(headersFor(forward, { 'x-published-at': text })['x-published-at']).toBe(publishedAt.toISOString())
    },
  )
})

describe.each(forwards)('every copy, such as for a %s,', (_kind, forward) => {
  test('keeps the headers of its publisher', () => {
    const headers = {
      'x-mine': 'kept',
      nested: { list: [1, null, true] },
      'x-tenant-id': 42,
      'x-schema-version': 1,
      'x-published-at': '2025-04-01T09:30:00.250Z',
      traceparent: '00-0af7-b7ad-01',
      tracestate: 'a=1',
      'x-deaths': 'of others',
    }
    expect(headersFor(forward, headers)).toMatchObject(headers)
  })

  test('drops the headers of the broker and of rascal', () => {
    const headers = {
      rascal: { recovery: {} },
      CC: ['push.notifications.10s'],
      BCC: ['x'],
      'x-death': [{ queue: 'push.notifications' }],
      'x-first-death-queue': 'q',
      'x-first-death-reason': 'expired',
      'x-first-death-exchange': 'e',
      'x-last-death-queue': 'q',
      'x-delivery-count': 3,
      'x-acquired-count': 3,
    }
    const copied = headersFor(forward, headers)
    expect(Object.keys(headers).filter((name) => name in copied)).toEqual([])
  })

  test('has a message of at most 1 KiB of UTF-8 without a half character', () => {
    const long = new Error(`x${'😀'.repeat(1_000)}`)
    const texts = Object.entries(headersFor({ ...forward, error: long })).filter(([name]) => name.endsWith('-message'))
    expect(texts).toEqual([[expect.any(String), `x${'😀'.repeat(255)}`]])
  })

  test('has a message of at most 1 KiB', () => {
    const long = new Error('x'.repeat(100_000))
    const texts = Object.entries(headersFor({ ...forward, error: long })).filter(([name]) => name.endsWith('-message'))
    expect(texts).toEqual([[expect.any(String), 'x'.repeat(1_024)]])
  })

  test('says where it came from, whatever it said before it came back from the retry exchange', () => {
    const forged = { 'x-original-exchange': 'forged', 'x-original-routing-key': 'forged' }
    expect(headersFor(forward, forged)).toMatchObject({
      'x-original-exchange': 'notifications',
      'x-original-routing-key': 'push.web',
    })
  })

  test('keeps where it came from if it came back from the retry exchange', () => {
    const original = { 'x-original-exchange': 'notifications', 'x-original-routing-key': 'push.mobile' }
    const fields = { exchange: 'push.notifications.retry', routingKey: 'work' }
    expect(headersFor(forward, original, fields)).toMatchObject(original)
  })

  test('tells the expiration that its publisher gave it', () => {
    expect(headersFor(forward, {}, { properties: { expiration: '60000' } })['x-original-expiration']).toBe('60000')
    expect(headersFor(forward)).not.toHaveProperty('x-original-expiration')
  })

  test('loses one of ours that is too large to be sent on', () => {
    const huge = 'x'.repeat(70 * 1024)
    const headers = { 'x-replay': huge, 'x-published-at': huge, 'x-first-failure-code': huge, 'x-tenant-id': 42 }
    const copied = headersFor(forward, headers)
    expect(copied['x-published-at']).not.toBe(huge)
    expect(copied).not.toHaveProperty('x-replay')
    expect(copied['x-first-failure-code']).not.toBe(huge)
    expect(copied['x-tenant-id']).toBe(42)
  })
})

describe('progress', () => {
  const progressed = { 'x-progress-at': '2025-04-01T09:00:00.000Z', 'x-resume-at': '100' }
  const giveWay = (hasProgressed: boolean): Forward => {
    const others = new GiveWayError('others first', { resumeAt: '200', hasProgressed })
    return { kind: 'give-way', step, error: others, attempts: 1 }
  }

  test('is told by a copy that gives way: when it was, and where to go on; that is no failure', () => {
    const headers = headersFor(giveWay(true), progressed, backFromRetry)
    expect(headers).toMatchObject({ 'x-progress-at': now.toISOString(), 'x-resume-at': '1 200', 'x-attempts': 1 })
    expect(Object.keys(headers).filter((name) => name.includes('failure'))).toEqual([])
  })

  test('is none of a copy that gives way with nobody served', () => {
    const headers = headersFor(giveWay(false), progressed, backFromRetry)
    expect(headers).toMatchObject({ 'x-progress-at': progressed['x-progress-at'], 'x-resume-at': '1 200' })
  })

  test('is told by a deferral that came after a part of the work', () => {
    const headers = headersFor(
      { kind: 'defer', step, code: 'DATABASE_UNAVAILABLE', error, attempts: 0, hasProgressed: true },
      progressed,
      backFromRetry,
    )
    expect(headers['x-progress-at']).toBe(now.toISOString())
  })

  test.each([
    ['deferral', defer],
    ['retry', retry],
  ])('stays as old as it was after a %s of which nothing was done, and begins at the beginning', (_what, forward) => {
    const headers = headersFor(forward, progressed, backFromRetry)
    expect(headers['x-progress-at']).toBe(progressed['x-progress-at'])
    expect(headers).not.toHaveProperty('x-resume-at')
  })

  test('is not kept by a dead letter, nor believed of a publisher or of one that was moved by hand', () => {
    const moved = { exchange: '', routingKey: 'push.notifications' }
    const origin = { 'x-original-exchange': 'notifications', 'x-original-routing-key': 'push.web' }
    for (const headers of [
      headersFor(deadLetter, progressed, backFromRetry),
      headersFor(defer, progressed),
      headersFor(defer, { ...progressed, ...origin }, moved),
    ]) {
      expect(headers).not.toHaveProperty('x-progress-at')
      expect(headers).not.toHaveProperty('x-resume-at')
    }
  })
})
