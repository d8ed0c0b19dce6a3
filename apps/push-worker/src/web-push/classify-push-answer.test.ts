import { describe, expect, test } from 'vitest'
import { classifyPushAnswer, isCredentialsRefusal } from './classify-push-answer.js'

const classify = (status: number, headers: Record<string, string> = {}) => classifyPushAnswer({ status, headers }, 0)

test.each([200, 201, 202, 204])('%i: sent', (status) => {
  expect(classify(status)).toEqual({ result: { kind: 'sent' }, origin: { kind: 'accepted' } })
})

test('the push service’s name for the notification is kept, up to a length', () => {
  expect(classify(201, { location: 'https://push.example.com/m/1' }).result).toEqual({
    kind: 'sent',
    providerId: 'https://push.example.com/m/1',
  })
  expect(classify(201, { location: 'x'.repeat(9999) }).result).toEqual({ kind: 'sent', providerId: 'x'.repeat(500) })
})

test.each([404, 410])('%i: the device is gone', (status) => {
  expect(classify(status)).toEqual({
    result: { kind: 'failed', code: 'GONE' },
    origin: { kind: 'alive' },
    disable: 'gone',
  })
})

test.each([
  [301, 'REDIRECTED'],
  [307, 'REDIRECTED'],
  [400, 'PROVIDER_REJECTED'],
  [405, 'PROVIDER_REJECTED'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [0, 'PROVIDER_REJECTED'],
])('%i: failed for good, and the device stays', (status, code) => {
  expect(classify(status)).toEqual({ result: { kind: 'failed', code }, origin: { kind: 'alive' } })
})

test.each([429, 406, 408, 421, 425, 400, 500, 503])('%i with a time to wait: the device waits so long', (status) => {
  const { result, origin, wait } = classify(status, { 'retry-after': '3' })
  expect(result).toMatchObject({ kind: 'defer', delayMs: 3000 })
  expect(origin).toMatchObject({ kind: 'refused', waitMs: 3000 })
  expect(wait).toEqual({ ms: 3000 })
})

test.each([429, 406])('%i without one: for a time that grows', (status) => {
  expect(classify(status, { 'retry-after': 'later' })).toEqual({
    result: { kind: 'defer', code: 'RATE_LIMITED' },
    origin: { kind: 'refused', code: 'RATE_LIMITED' },
    wait: {},
  })
})

test.each(['channelthrottled', 'appthrottled', 'dropped'])('406 of WNS, %s: the device waits', (wnsStatus) => {
  const headers = { 'retry-after': '900', 'x-wns-notificationstatus': wnsStatus }
  expect(classify(406, headers).result).toEqual({ kind: 'defer', code: 'RATE_LIMITED', delayMs: 900_000 })
})

describe('WNS says of what it answers with 2xx', () => {
  const ofWns = (status: string, headers = {}) => classify(201, { 'x-wns-notificationstatus': status, ...headers })

  test('that it was received: sent', () => {
    expect(ofWns('received')).toEqual({ result: { kind: 'sent' }, origin: { kind: 'accepted' } })
  })

  test('that the channel is throttled: not sent, the device waits', () => {
    expect(ofWns('channelThrottled', { 'retry-after': '60' })).toMatchObject({
      result: { kind: 'defer', code: 'RATE_LIMITED', delayMs: 60_000 },
      origin: { kind: 'refused' },
    })
  })

  test('that it was dropped: not sent, tried again', () => {
    expect(ofWns('dropped')).toMatchObject({ result: { kind: 'retry', code: 'DROPPED' }, origin: { kind: 'alive' } })
  })
})

test.each([404, 410, 413])('%i is final, whatever time it names', (status) => {
  expect(classify(status, { 'retry-after': '3' }).result.kind).toBe('failed')
})

test.each([408, 421, 425, 500, 502, 503, 599])('%i: retried, and a mark against the push service', (status) => {
  expect(classify(status)).toMatchObject({
    result: { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' },
    origin: { kind: 'failing' },
  })
})

test('401 and 403 say that the credentials are refused', () => {
  expect([200, 400, 401, 402, 403, 404].filter((status) => isCredentialsRefusal({ status }))).toEqual([401, 403])
})
