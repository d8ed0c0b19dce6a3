import { describe, expect, test } from 'vitest'
import { classifyApnsAnswer, endsConnection, isExpiredToken, isSettingsRefusal } from './classify-apns-answer.js'

const registeredAt = '2026-11-01T00:00:00.000999+00:00'
const registeredMs = Date.parse('2026-11-01T00:00:00.000Z')

const answer = (status: number, said: object | string = '', headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof said === 'string' ? said : JSON.stringify(said)),
})

const classify = (...args: Parameters<typeof answer>) => classifyApnsAnswer(answer(...args), { registeredAt }, 0)

test('200: sent, and the answer’s id is kept', () => {
  expect(classify(200, '', { 'apns-id': 'a-b-c' })).toEqual({
    result: { kind: 'sent', providerId: 'a-b-c' },
    origin: { kind: 'accepted' },
  })
  expect(classify(200)).toEqual({ result: { kind: 'sent' }, origin: { kind: 'accepted' } })
})

describe('410', () => {
  test.each(['Unregistered', 'ExpiredToken'])('%s: the device is gone that was registered before', (reason) => {
    for (const said of [{ reason, timestamp: registeredMs + 1 }, { reason }, { reason, timestamp: 'x' }]) {
      expect(classify(410, said)).toEqual({
        result: { kind: 'failed', code: 'GONE' },
        origin: { kind: 'alive' },
        disable: 'gone',
      })
    }
  })

  test.each([0, -1, -86_400_000])(
    'of a time %i ms after the device was registered: it lives, and is tried again',
    (ms) => {
      expect(classify(410, { reason: 'Unregistered', timestamp: registeredMs + ms })).toEqual({
        result: { kind: 'retry', code: 'GONE' },
        origin: { kind: 'alive' },
      })
    },
  )

  test('ten minutes after that it fails, and is not disabled all the same', () => {
    const said = answer(410, { reason: 'Unregistered', timestamp: registeredMs - 1 })
    const at = (minutes: number) => classifyApnsAnswer(said, { registeredAt }, registeredMs + minutes * 60_000)
    expect(at(9)).toMatchObject({ result: { kind: 'retry', code: 'GONE' } })
    expect(at(11)).toEqual({ result: { kind: 'failed', code: 'GONE' }, origin: { kind: 'alive' } })
  })
})

test.each([
  ['BadDeviceToken', 'INVALID_TOKEN', 'invalid-token'],
  ['DeviceTokenNotForTopic', 'WRONG_SENDER', 'wrong-sender'],
])('400 %s: the device is disabled', (reason, code, disable) => {
  expect(classify(400, { reason })).toEqual({ result: { kind: 'failed', code }, origin: { kind: 'alive' }, disable })
})

test.each([
  'BadCollapseId',
  'BadExpirationDate',
  'BadMessageId',
  'BadPriority',
  'DuplicateHeaders',
  'InvalidPushType',
  'MissingDeviceToken',
  'PayloadEmpty',
])('400 %s: failed for good, and the device stays', (reason) => {
  expect(classify(400, { reason })).toEqual({
    result: { kind: 'failed', code: 'PROVIDER_REJECTED' },
    origin: { kind: 'alive' },
  })
})

test('413: too large, and the device stays', () => {
  expect(classify(413, { reason: 'PayloadTooLarge' })).toEqual({
    result: { kind: 'failed', code: 'PAYLOAD_TOO_LARGE' },
    origin: { kind: 'alive' },
  })
})

test.each([
  [400, 'BadTopic'],
  [400, 'MissingTopic'],
  [400, 'TopicDisallowed'],
  [403, 'BadCertificate'],
  [403, 'BadEnvironmentKeyInToken'],
  [403, 'BadEnvironmentKeyIdInToken'],
  [403, 'ExpiredProviderToken'],
  [403, 'Forbidden'],
  [403, 'InvalidProviderToken'],
  [403, 'MissingProviderToken'],
  [403, 'UnrelatedKeyIdInToken'],
  [403, 'SomethingNew'],
  [404, 'BadPath'],
  [405, 'MethodNotAllowed'],
])('%i %s: our settings, so all devices of the origin wait, and none is disabled', (status, reason) => {
  expect(isSettingsRefusal(answer(status, { reason }))).toBe(true)
  expect(classify(status, { reason })).toEqual({
    result: { kind: 'defer', code: 'APNS_REJECTED', delayMs: 60_000 },
    origin: { kind: 'down', code: 'APNS_REJECTED', waitMs: 60_000 },
  })
})

test('403 ExpiredProviderToken alone is of the token’s age', () => {
  expect(isExpiredToken(answer(403, { reason: 'ExpiredProviderToken' }))).toBe(true)
  expect(isExpiredToken(answer(403, { reason: 'InvalidProviderToken' }))).toBe(false)
  expect(isExpiredToken(answer(410, { reason: 'ExpiredProviderToken' }))).toBe(false)
})

test('429 TooManyProviderTokenUpdates: all devices wait, and the connection is of no more use', () => {
  const said = { reason: 'TooManyProviderTokenUpdates' }
  expect(endsConnection(answer(429, said))).toBe(true)
  expect(classify(429, said)).toEqual({
    result: { kind: 'defer', code: 'APNS_TOKEN_UPDATES', delayMs: 60_000 },
    origin: { kind: 'down', code: 'APNS_TOKEN_UPDATES', waitMs: 60_000 },
  })
})

describe('429 TooManyRequests: this device waits', () => {
  const said = { reason: 'TooManyRequests' }

  test('for a time that grows', () => {
    expect(endsConnection(answer(429, said))).toBe(false)
    expect(classify(429, said)).toEqual({
      result: { kind: 'defer', code: 'RATE_LIMITED' },
      origin: { kind: 'refused', code: 'RATE_LIMITED' },
      wait: {},
    })
  })

  test('as long as Apple says', () => {
    expect(classify(429, said, { 'retry-after': '3' })).toEqual({
      result: { kind: 'defer', code: 'RATE_LIMITED', delayMs: 3000 },
      origin: { kind: 'refused', code: 'RATE_LIMITED', waitMs: 3000 },
      wait: { ms: 3000 },
    })
  })
})

describe('trouble at Apple’s', () => {
  test.each([
    [400, 'IdleTimeout'],
    [500, 'InternalServerError'],
    [502, ''],
    [503, 'ServiceUnavailable'],
    [503, 'Shutdown'],
  ])('%i %s: retried, and a mark against the origin', (status, reason) => {
    expect(classify(status, { reason })).toEqual({
      result: { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' },
      origin: { kind: 'failing', code: 'PROVIDER_UNAVAILABLE' },
    })
  })

  test('with a time to wait: all devices of the origin wait so long', () => {
    expect(classify(503, { reason: 'ServiceUnavailable' }, { 'retry-after': '30' })).toEqual({
      result: { kind: 'defer', code: 'PROVIDER_UNAVAILABLE', delayMs: 30_000 },
      origin: { kind: 'down', code: 'PROVIDER_UNAVAILABLE', waitMs: 30_000 },
    })
  })
})

test.each([
  [400, { reason: 'SomethingNew' }],
  [400, '<html>Bad request</html>'],
  [400, ''],
  [400, 'null'],
  [400, { reason: 7 }],
  [400, { reason: 'constructor' }],
  [410, ''],
  [410, { reason: 'SomethingNew', timestamp: registeredMs + 1 }],
  [204, ''],
  [307, ''],
  [418, ''],
])('%i %j is unknown, and nobody’s fault: tried again, and nobody is disabled', (status, said) => {
  expect(classify(status, said)).toEqual({
    result: { kind: 'retry', code: 'UNKNOWN_ANSWER' },
    origin: { kind: 'alive' },
  })
})
