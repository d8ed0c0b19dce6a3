import { expect, test } from 'vitest'
import { classifyPushAnswer, isCredentialsRefusal } from './classify-push-answer.js'

const classify = (status: number, headers: Record<string, string> = {}) => classifyPushAnswer({ status, headers }, 0)

test.each([200, 201, 202, 204])('%i: sent', (status) => {
  expect(classify(status)).toEqual({ result: { kind: 'sent' }, origin: { kind: 'alive' } })
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

test.each([429, 408, 500, 503])('%i with a time to wait: the push service is left alone for that time', (status) => {
  const { result, origin } = classify(status, { 'retry-after': '3' })
  expect(result).toMatchObject({ kind: 'defer', delayMs: 3000 })
  expect(origin).toMatchObject({ kind: 'closed', waitMs: 3000 })
})

test('429 without one: for a time that the gate chooses', () => {
  expect(classify(429, { 'retry-after': 'later' })).toEqual({
    result: { kind: 'defer', code: 'RATE_LIMITED' },
    origin: { kind: 'closed', code: 'RATE_LIMITED' },
  })
})

test.each([408, 500, 502, 503, 599])('%i: retried, and a mark against the push service', (status) => {
  expect(classify(status)).toMatchObject({
    result: { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' },
    origin: { kind: 'failing' },
  })
})

test('401 and 403 say that the credentials are refused', () => {
  expect([200, 400, 401, 402, 403, 404].filter((status) => isCredentialsRefusal({ status }))).toEqual([401, 403])
})
