import { AccessTokenError } from '@mono/access-tokens'
import { type HttpAnswer, type HttpRequest, HttpRequestError } from '@mono/http-client'
import { createRecordingLogger } from '@mono/test-support'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Device, DisableReason } from '../device.js'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { createFaultLog } from '../sending/fault-log.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { PushMessage } from '../sending/push-channel.js'
import { createFcmChannel } from './fcm-channel.js'

const message: PushMessage = {
  notification: { title: 'Hello', body: 'Ada', data: { id: 7 } },
  tenantId: 42,
  messageId: 'message-1',
  publishedAt: new Date('2026-11-01T00:00:00Z'),
  options: { ttlSeconds: 60, urgency: 'high', topic: 'news', extras: {} },
}

const device = (fields: Partial<Device> = {}): Device => ({
  id: '7',
  channel: 'fcm',
  address: 'abc:APA91b',
  addressKind: 'token',
  environment: 'production',
  registeredAt: '2026-11-01T00:00:00.000001+00:00',
  p256dh: null,
  auth: null,
  isDisabled: false,
  refusals: 0,
  ...fields,
})

const another = (index: number): Device => device({ id: `another ${index}`, address: `another:${index}` })

const answer = (status: number, body: object = {}, headers: HttpAnswer['headers'] = {}): HttpAnswer => ({
  status,
  headers,
  body: Buffer.from(JSON.stringify(body)),
  complete: true,
})

const sent = answer(200, { name: 'projects/my-project/messages/1' })
const unauthenticated = answer(401, { error: { message: 'Invalid credentials.', status: 'UNAUTHENTICATED' } })
const denied = answer(403, { error: { message: 'No permission.', status: 'PERMISSION_DENIED' } })

function fault(status: number, errorCode: string, headers = {}): HttpAnswer {
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }]
  return answer(status, { error: { message: `It is ${errorCode}.`, details } }, headers)
}

type Answer = HttpAnswer | Error | ((request: HttpRequest) => Promise<HttpAnswer>)

/** FCM with these answers, the last one again and again, and what it was asked. */
function setUp({ answers = [sent], token }: { answers?: Answer[]; token?: () => Promise<string> } = {}) {
  const requests: HttpRequest[] = []
  const disabled: [string, DisableReason][] = []
  const clock = { now: 1_000_000 }
  const now = () => clock.now
  const logger = createRecordingLogger()
  let renewals = 0
  let reservedKeys = 0
  const channel = createFcmChannel({
    url: new URL('https://fcm.example.com/v1/projects/my-project/messages:send'),
    now,
    logger,
    faults: createFaultLog({ logger, now }),
    onReservedKeys: (count) => {
      reservedKeys += count
    },
    sender: createDeviceSender({
      channel: 'fcm',
      guard: createDeadGuard({ channel: 'fcm', logger, now }),
      counts: { disabled: () => {} },
      gate: new OriginGate({ concurrency: 10, logger, now, random: () => 1 }),
      waits: createDeviceWaits({ now, random: () => 1 }),
      deviceStore: {
        disableDevice: async ({ id }, reason) => disabled.push([id, reason]) > 0,
        countRefusal: async () => false,
        clearRefusals: async () => {},
      },
    }),
    tokens: {
      get: token ?? (async () => `token-${renewals}`),
      async renew() {
        renewals += 1
        return `token-${renewals}`
      },
    },
    client: {
      async request(request) {
        requests.push(request)
        const next = answers[Math.min(requests.length, answers.length) - 1]
        if (next instanceof Error) throw next
        return typeof next === 'function' ? await next(request) : (next ?? sent)
      },
    },
  })
  const { signal } = new AbortController()
  const send = (to: Device = device(), own = signal, given = message) =>
    channel.prepare(given).send(to, { tenantId: 1, signal: own, logger })
  const errors = () => logger.lines.filter(({ level }) => level === 'error')
  return { requests, reservedKeys: () => reservedKeys, disabled, clock, logger, errors, send }
}

const bodyOf = (request: HttpRequest | undefined) => JSON.parse(String(request?.body))

test('a notification is posted to the project, and taken', async () => {
  const { requests, send } = setUp()
  expect(await send()).toEqual({ kind: 'sent', providerId: 'projects/my-project/messages/1' })
  expect(requests).toMatchObject([
    { method: 'POST', headers: { authorization: 'Bearer token-0', 'content-type': 'application/json' } },
  ])
  expect(requests[0]?.url.href).toBe('https://fcm.example.com/v1/projects/my-project/messages:send')
  expect(bodyOf(requests[0])).toEqual({
    message: {
      token: 'abc:APA91b',
      notification: { title: 'Hello', body: 'Ada' },
      data: { id: '7' },
      android: { priority: 'HIGH', ttl: '60s', collapse_key: 'news', notification: { tag: 'news' } },
    },
  })
})

test('an installation id is addressed as one', async () => {
  const { requests, send } = setUp()
  await send(device({ address: 'cXyZ0123456789', addressKind: 'fid' }))
  const { message: posted } = bodyOf(requests[0])
  expect(posted.fid).toBe('cXyZ0123456789')
  expect(posted).not.toHaveProperty('token')
})

test('keys that FCM reserves are left out, counted, and not shown in the log', async () => {
  const { requests, reservedKeys, logger, send } = setUp()
  const data = { from: 'Ada', 'google.secret': 1, id: 7 }
  await send(device(), undefined, { ...message, notification: { ...message.notification, data } })
  expect(bodyOf(requests[0]).message.data).toEqual({ id: '7' })
  expect(reservedKeys()).toBe(2)
  expect(logger.lines).toMatchObject([{ level: 'debug', data: { messageId: 'message-1', count: 2 } }])
  expect(JSON.stringify(logger.lines)).not.toContain('secret')
})

describe('nothing is sent', () => {
  test.each(['', 'a b', 'x'.repeat(4097)])(
    'to an address that can be none, and its device is disabled',
    async (address) => {
      const { requests, disabled, send } = setUp()
      expect(await send(device({ address }))).toEqual({ kind: 'failed', code: 'INVALID_TOKEN' })
      expect(disabled).toEqual([['7', 'invalid-token']])
      expect(requests).toHaveLength(0)
    },
  )

  test('of what is too large', async () => {
    const { requests, disabled, send } = setUp()
    const withBody = (bytes: number) => ({
      ...message,
      notification: { title: '', body: 'x'.repeat(bytes - 'titlebodytagnews'.length) },
    })
    expect(await send(device(), undefined, withBody(4096))).toMatchObject({ kind: 'sent' })
    expect(await send(device(), undefined, withBody(4097))).toEqual({
      kind: 'failed',
      code: 'PAYLOAD_TOO_LARGE',
      reason: 'notification, data and tag take more than 4096 bytes',
    })
    expect([requests.length, disabled]).toEqual([1, []])
  })

  test('without an access token; no attempt is counted, and nobody else asks for one until it is time', async () => {
    const failure = { reason: 'HTTP 400: Invalid JWT.', delayMs: 50_000 }
    let isRefused = true
    let asked = 0
    const { requests, clock, send } = setUp({
      token: async () => {
        asked += 1
        if (isRefused) throw new AccessTokenError('ACCESS_TOKEN_REFUSED', failure)
        return 'token'
      },
    })
    expect(await send(another(1))).toEqual({ kind: 'defer', code: 'ACCESS_TOKEN_REFUSED', ...failure })
    for (let index = 2; index <= 10; index += 1) {
      expect(await send(another(index))).toEqual({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 50_000 })
    }
    expect([asked, requests.length]).toEqual([1, 0])
    isRefused = false
    clock.now += 50_000
    expect(await send()).toMatchObject({ kind: 'sent' })
  })
})

describe('a device that is dead', () => {
  test.each([
    ['UNREGISTERED', 'GONE', 'gone'],
    ['SENDER_ID_MISMATCH', 'WRONG_SENDER', 'wrong-sender'],
  ] as const)('is disabled by %s', async (errorCode, code, reason) => {
    const { disabled, send } = setUp({ answers: [fault(404, errorCode)] })
    expect(await send()).toMatchObject({ kind: 'failed', code, reason: expect.stringMatching(/^HTTP 404: It is/) })
    expect(disabled).toEqual([['7', reason]])
  })

  test('is the only one that is', async () => {
    const page = { ...answer(404), body: Buffer.from('<title>Not Found</title>') }
    const { disabled, send } = setUp({
      answers: [page, answer(400), fault(401, 'THIRD_PARTY_AUTH_ERROR'), answer(500)],
    })
    for (let index = 1; index <= 4; index += 1) await send(another(index))
    expect(disabled).toEqual([])
  })
})

describe('an access token that is refused', () => {
  test('is renewed once, and that may be all there was', async () => {
    const { requests, errors, send } = setUp({ answers: [unauthenticated, sent] })
    expect(await send()).toMatchObject({ kind: 'sent' })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-0', 'Bearer token-1'])
    expect(errors()).toEqual([])
  })

  test('twice makes all devices wait, with one error line in FCM’s words', async () => {
    const { requests, clock, errors, send } = setUp({ answers: [unauthenticated] })
    const reason = 'HTTP 401: Invalid credentials.'
    expect(await send()).toEqual({ kind: 'defer', code: 'FCM_REJECTED', delayMs: 60_000, reason })
    expect(await send(another(1))).toEqual({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 60_000 })
    expect(requests).toHaveLength(2)
    clock.now += 60_000
    expect(await send(another(1))).toMatchObject({ kind: 'defer', code: 'FCM_REJECTED' })
    expect(errors()).toMatchObject([{ data: { code: 'FCM_REJECTED', status: 401, reason } }])
  })

  test('is not meant where FCM lacks a key for Apple: that device fails, and the others are served', async () => {
    const { requests, errors, send } = setUp({
      answers: [fault(401, 'THIRD_PARTY_AUTH_ERROR'), fault(401, 'THIRD_PARTY_AUTH_ERROR'), sent],
    })
    const reason = 'HTTP 401: It is THIRD_PARTY_AUTH_ERROR.'
    expect(await send(another(1))).toEqual({ kind: 'failed', code: 'THIRD_PARTY_AUTH', reason })
    expect(await send(another(2))).toMatchObject({ kind: 'failed', code: 'THIRD_PARTY_AUTH' })
    expect(await send()).toMatchObject({ kind: 'sent' })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer token-0'))
    expect(errors()).toMatchObject([{ data: { code: 'THIRD_PARTY_AUTH', reason } }])
  })
})

test('a project without rights is not asked again with another token, and worth another line after it had them', async () => {
  const { requests, clock, errors, send } = setUp({ answers: [denied, sent, denied] })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'FCM_REJECTED' })
  expect(requests).toHaveLength(1)
  clock.now += 60_000
  expect(await send()).toMatchObject({ kind: 'sent' })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'FCM_REJECTED' })
  expect(errors()).toHaveLength(2)
})

test('a quota of the project makes all devices wait as long as FCM says', async () => {
  const { requests, clock, send } = setUp({ answers: [fault(429, 'QUOTA_EXCEEDED', { 'retry-after': '7' }), sent] })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'RATE_LIMITED', delayMs: 7_000 })
  clock.now += 6_000
  expect(await send(another(1))).toEqual({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 1_000 })
  expect(requests).toHaveLength(1)
  clock.now += 1_000
  expect(await send(another(1))).toMatchObject({ kind: 'sent' })
})

test('FCM is left alone when it fails five times in a row, or cannot be reached', async () => {
  const failing = setUp({ answers: [fault(503, 'UNAVAILABLE')] })
  const kinds = []
  for (let index = 1; index <= 6; index += 1) kinds.push((await failing.send(another(index))).kind)
  expect(kinds).toEqual(['retry', 'retry', 'retry', 'retry', 'defer', 'defer'])
  const away = setUp({ answers: [new HttpRequestError('CONNECTION_FAILED', 'refused', { sent: false })] })
  expect(await away.send()).toMatchObject({ kind: 'defer', code: 'CONNECTION_FAILED', delayMs: 5_000 })
  const notFound = Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
  const nameless = setUp({
    answers: [new HttpRequestError('CONNECTION_FAILED', 'no such host', { sent: false, cause: notFound })],
  })
  expect(await nameless.send()).toMatchObject({ kind: 'defer', code: 'CONNECTION_FAILED', reason: 'ENOTFOUND' })
  expect(await away.send(another(1))).toMatchObject({ kind: 'defer', code: 'ORIGIN_CLOSED' })
})

describe('time', () => {
  afterEach(() => void vi.useRealTimers())

  /** As the client does it: the signal ends the request. */
  const untilAborted = ({ signal }: HttpRequest) =>
    new Promise<never>((_, reject) => {
      const onAbort = () => reject(new HttpRequestError('ABORTED', 'aborted', { sent: true, cause: signal.reason }))
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort)
    })

  test('is up after ten seconds: FCM may have taken it, and gets it again', async () => {
    vi.useFakeTimers()
    const { requests, send } = setUp({ answers: [untilAborted] })
    const sending = send()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false])
    // Two turns of the event loop follow, a millisecond each of this clock.
    await vi.advanceTimersByTimeAsync(3)
    expect(await sending).toEqual({ kind: 'retry', code: 'TIMEOUT' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that ends because the worker stops is no fault of FCM', async () => {
    const { send } = setUp({ answers: [untilAborted] })
    for (let count = 1; count <= 6; count += 1) {
      const stopping = new AbortController()
      const sending = send(device(), stopping.signal)
      stopping.abort(new Error('stop'))
      expect(await sending).toEqual({ kind: 'retry', code: 'INTERRUPTED' })
    }
  })
})

test('a bug is thrown, and leaves the next request its turn', async () => {
  const bug = new TypeError('x is not a function')
  const { send } = setUp({ answers: [bug, sent] })
  await expect(send()).rejects.toBe(bug)
  expect(await send()).toMatchObject({ kind: 'sent' })
})
