import { describe, expect, test } from 'vitest'
import { classifyFcmAnswer, isBearerRefusal } from './classify-fcm-answer.js'

const page = '<!DOCTYPE html><html><title>Error</title></html>'

const answer = (status: number, body: string | object = '', headers = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})

const classify = (...given: Parameters<typeof answer>) => classifyFcmAnswer(answer(...given), 0)

/** FCM itself gives an error in this form. */
function fault(code: string, { message = 'It failed.', details = [] as object[] } = {}) {
  const fcmError = { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: code }
  return { error: { code: 400, message, status: 'SOMETHING', details: [...details, fcmError] } }
}

/** A server in front of FCM gives an error in this form. */
function outerFault(status: string, { message = 'It failed.', details = [] as object[] } = {}) {
  return { error: { code: 400, message, status, details } }
}

const badRequest = (field: string) => ({
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field, description: 'Invalid' }],
})

const quotaFailure = (subject: string, description: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ subject, description }],
})

const down = (code: string, waitMs: number) => ({
  result: { kind: 'defer', code, delayMs: waitMs },
  origin: { kind: 'down', code, waitMs },
})
const refused = down('FCM_REJECTED', 60_000)
const dead = (code: string, disable: string) => ({
  result: { kind: 'failed', code },
  origin: { kind: 'alive' },
  disable,
})
const failed = (code: string) => ({ result: { kind: 'failed', code }, origin: { kind: 'alive' } })

describe('success', () => {
  test('is the name of a message', () => {
    expect(classify(200, { name: 'projects/p/messages/1' })).toEqual({
      result: { kind: 'sent', providerId: 'projects/p/messages/1' },
      origin: { kind: 'accepted' },
    })
  })

  test.each(['', page, {}, { name: '' }, { name: 7 }, '[]', '{"name":"projects/p/mess'])(
    'without it, as in %j, is no proof',
    (body) => {
      expect(classify(200, body)).toMatchObject({
        result: { kind: 'retry', code: 'UNEXPECTED_ANSWER' },
        origin: { kind: 'failing' },
      })
    },
  )
})

describe('a device is dead', () => {
  test.each([
    [404, fault('UNREGISTERED'), dead('GONE', 'gone')],
    [404, fault('NOT_FOUND'), dead('GONE', 'gone')],
    [403, fault('SENDER_ID_MISMATCH'), dead('WRONG_SENDER', 'wrong-sender')],
    [
      400,
      fault('INVALID_ARGUMENT', { details: [badRequest('message.token')] }),
      dead('INVALID_TOKEN', 'invalid-token'),
    ],
    [400, fault('INVALID_ARGUMENT', { details: [badRequest('message.fid')] }), dead('INVALID_TOKEN', 'invalid-token')],
    [
      400,
      fault('INVALID_ARGUMENT', { message: 'The registration token is not a valid FCM registration token' }),
      dead('INVALID_TOKEN', 'invalid-token'),
    ],
  ])('by %i %j', (status, body, expected) => {
    expect(classify(status, body)).toEqual(expected)
  })

  test('whatever the status, if FCM says so', () => {
    expect(classify(400, fault('UNREGISTERED'))).toEqual(dead('GONE', 'gone'))
  })

  test.each([
    [404, outerFault('NOT_FOUND', { message: 'Requested entity was not found.' })],
    [404, outerFault('UNREGISTERED')],
    [403, outerFault('SENDER_ID_MISMATCH')],
    [404, page],
    [404, ''],
    [410, page],
  ])('by FCM’s own word only, and not by %i %j', (status, body) => {
    expect(classify(status, body)).not.toHaveProperty('disable')
  })
})

describe('a message is refused for itself', () => {
  test.each([
    [400, fault('INVALID_ARGUMENT'), failed('PROVIDER_REJECTED')],
    [400, fault('INVALID_ARGUMENT', { details: [badRequest('message.android.ttl')] }), failed('PROVIDER_REJECTED')],
    [
      400,
      outerFault('INVALID_ARGUMENT', { details: [badRequest('message.data[0].value')] }),
      failed('PROVIDER_REJECTED'),
    ],
    [400, page, failed('PROVIDER_REJECTED')],
    [405, '', failed('PROVIDER_REJECTED')],
    [413, page, failed('PAYLOAD_TOO_LARGE')],
  ])('by %i %j', (status, body, expected) => {
    expect(classify(status, body)).toEqual(expected)
  })
})

test.each(['THIRD_PARTY_AUTH_ERROR', 'APNS_AUTH_ERROR'])('%s is about this device, and Android goes on', (code) => {
  for (const status of [401, 403]) expect(classify(status, fault(code))).toEqual(failed('THIRD_PARTY_AUTH'))
})

describe('all devices wait', () => {
  test.each([
    [401, outerFault('UNAUTHENTICATED')],
    [401, ''],
    [403, outerFault('PERMISSION_DENIED')],
    [403, page],
    [404, outerFault('NOT_FOUND')],
    [302, ''],
  ])('a minute for somebody to change the settings, after %i %j', (status, body) => {
    expect(classify(status, body)).toEqual(refused)
  })

  test.each([fault('QUOTA_EXCEEDED'), fault('RESOURCE_EXHAUSTED'), outerFault('RESOURCE_EXHAUSTED'), page])(
    'as long as FCM says, or a minute, after 429 %j',
    (body) => {
      expect(classify(429, body, { 'retry-after': '7' })).toEqual(down('RATE_LIMITED', 7_000))
      expect(classify(429, body)).toEqual(down('RATE_LIMITED', 60_000))
    },
  )

  test.each([500, 502, 503])('as long as it says after %i', (status) => {
    expect(classify(status, fault('UNAVAILABLE'), { 'retry-after': '7' })).toEqual(down('PROVIDER_UNAVAILABLE', 7_000))
    expect(classify(status, page, { 'retry-after': '7' })).toEqual(down('PROVIDER_UNAVAILABLE', 7_000))
  })
})

test('a quota of the device is the device’s to wait for', () => {
  const details = [quotaFailure('token:abc', 'Device message rate exceeded.')]
  expect(classify(429, fault('QUOTA_EXCEEDED', { details }), { 'retry-after': '7' })).toEqual({
    result: { kind: 'defer', code: 'RATE_LIMITED', delayMs: 7_000 },
    origin: { kind: 'refused', code: 'RATE_LIMITED', waitMs: 7_000 },
    wait: { ms: 7_000 },
  })
  const ofProject = [quotaFailure('project:1', 'Message rate exceeded.')]
  expect(classify(429, fault('QUOTA_EXCEEDED', { details: ofProject }))).toEqual(down('RATE_LIMITED', 60_000))
})

test.each([
  [503, fault('UNAVAILABLE')],
  [500, fault('INTERNAL')],
  [500, outerFault('INTERNAL')],
  [502, page],
  [503, page],
  [408, ''],
])('%i %j is a bad moment', (status, body) => {
  const code = 'PROVIDER_UNAVAILABLE'
  expect(classify(status, body)).toEqual({ result: { kind: 'retry', code }, origin: { kind: 'failing', code } })
})

test('a page instead of an answer, with 404, is no attempt, and several are a push service that fails', () => {
  const code = 'PROVIDER_UNAVAILABLE'
  expect(classify(404, page)).toEqual({ result: { kind: 'defer', code }, origin: { kind: 'failing', code } })
})

test.each([
  'null',
  '[]',
  '{"error":null}',
  '{"error":"text"}',
  '{"error":{"details":7}}',
  '{"error":{"details":[null,7,{"@type":7}]}}',
  '{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[null]}]}}',
])('a body of another form, %s, does no harm', (body) => {
  expect(classify(400, body)).toEqual(failed('PROVIDER_REJECTED'))
})

test.each([
  [401, outerFault('UNAUTHENTICATED'), true],
  [401, page, true],
  [401, fault('THIRD_PARTY_AUTH_ERROR'), false],
  [403, outerFault('PERMISSION_DENIED'), false],
])('%i %j is a refusal of the access token: %s', (status, body, expected) => {
  expect(isBearerRefusal(answer(status, body))).toBe(expected)
})
