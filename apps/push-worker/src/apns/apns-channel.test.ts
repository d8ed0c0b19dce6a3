import { type HttpAnswer, type HttpRequest, HttpRequestError } from '@mono/http-client'
import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import type { Device, DisableReason } from '../device.js'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { PushMessage } from '../sending/push-channel.js'
import { createApnsChannel } from './apns-channel.js'
import { createSettingsWatch } from './settings-watch.js'

const message: PushMessage = {
  notification: { title: 'Hello', body: 'Ada' },
  tenantId: 42,
  messageId: 'message-1',
  publishedAt: new Date('2026-11-01T00:00:00Z'),
  options: { ttlSeconds: 60, urgency: 'normal', extras: {} },
}
const origins = { production: 'https://api.push.example.com', sandbox: 'https://api.sandbox.push.example.com' }
const token = 'AB'.repeat(32)

const device = (fields: Partial<Device> = {}): Device => ({
  id: '7',
  channel: 'apns',
  address: token,
  addressKind: 'token',
  environment: 'production',
  registeredAt: '2026-11-01T00:00:00.000001+00:00',
  p256dh: null,
  auth: null,
  isDisabled: false,
  refusals: 0,
  ...fields,
})

const another = (index: number): Device => device({ id: `another ${index}`, address: index.toString(16) })

const status = (code: number, reason?: string, headers: HttpAnswer['headers'] = {}): HttpAnswer => ({
  status: code,
  headers,
  body: Buffer.from(reason === undefined ? '' : JSON.stringify({ reason })),
  complete: true,
})

/** Apple's servers that give these answers, the last one again and again, and what they were asked. */
function setUp({ answers, mayRenew = true }: { answers: (HttpAnswer | Error)[]; mayRenew?: boolean }) {
  const requests: HttpRequest[] = []
  const disabled: [string, DisableReason][] = []
  const clock = { now: 1_000_000 }
  const now = () => clock.now
  const logger = createRecordingLogger()
  const sender = createDeviceSender({
    channel: 'apns',
    guard: createDeadGuard({ channel: 'apns', logger, now }),
    counts: { disabled: () => {} },
    gate: new OriginGate({ concurrency: 10, logger, now, random: () => 1 }),
    waits: createDeviceWaits({ now, random: () => 1 }),
    deviceStore: {
      async disableDevice({ id }, reason) {
        disabled.push([id, reason])
        return true
      },
      countRefusal: async () => false,
      clearRefusals: async () => {},
    },
  })
  const channel = createApnsChannel({
    origins,
    topic: 'com.example.app',
    sender,
    now,
    settings: createSettingsWatch({ logger }),
    tokens: { get: () => 'first', renew: () => (mayRenew ? 'second' : undefined) },
    client: {
      async request(request) {
        requests.push(request)
        const answer = answers[Math.min(requests.length, answers.length) - 1]
        if (answer instanceof Error) throw answer
        return answer ?? status(200)
      },
    },
  })
  const { signal } = new AbortController()
  const send = (to: Device = device(), sent = message, own = signal) =>
    channel.prepare(sent).send(to, { tenantId: 1, signal: own, logger })
  const errors = () => logger.lines.filter(({ level }) => level === 'error')
  return { requests, disabled, clock, logger, errors, send }
}

test('a notification is posted to the device’s token in lower case, and taken', async () => {
  const { requests, send } = setUp({ answers: [status(200, undefined, { 'apns-id': 'id-1' })] })
  expect(await send()).toEqual({ kind: 'sent', providerId: 'id-1' })
  expect(requests).toMatchObject([
    { method: 'POST', headers: { authorization: 'bearer first', 'apns-topic': 'com.example.app' } },
  ])
  expect(requests[0]?.url.href).toBe(`${origins.production}/3/device/${'ab'.repeat(32)}`)
})

test('a device of the sandbox is sent to there', async () => {
  const { requests, send } = setUp({ answers: [status(200)] })
  await send(device({ environment: 'sandbox' }))
  expect(requests[0]?.url.origin).toBe(origins.sandbox)
})

test('the id is a UUID, the same at every try, and another for another device, message and tenant', async () => {
  const { requests, send } = setUp({ answers: [status(200)] })
  await send()
  await send()
  await send(device({ id: '8' }))
  await send(device(), { ...message, messageId: 'message-2' })
  await send(device(), { ...message, tenantId: 43 })
  const [first, again, ...others] = requests.map(({ headers }) => headers['apns-id'])
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(again).toBe(first)
  expect(new Set([first, ...others]).size).toBe(4)
})

describe('nothing is asked', () => {
  test.each([
    ['empty', ''],
    ['no hex', 'no hex'],
    ['too long', '0'.repeat(401)],
  ])('of an address that is %s; its device is disabled', async (_, address) => {
    const { requests, disabled, send } = setUp({ answers: [] })
    expect(await send(device({ address }))).toEqual({ kind: 'failed', code: 'INVALID_TOKEN' })
    expect(requests).toEqual([])
    expect(disabled).toEqual([['7', 'invalid-token']])
  })

  test('for a notification that is too large, and no device is disabled', async () => {
    const { requests, disabled, send } = setUp({ answers: [] })
    const large = { ...message, notification: { title: '', body: 'x'.repeat(4090) } }
    expect(await send(device(), large)).toEqual({
      kind: 'failed',
      code: 'PAYLOAD_TOO_LARGE',
      reason: 'title, body and data take more than 4096 bytes',
    })
    expect([requests, disabled]).toEqual([[], []])
  })
})

describe('a token that is refused for its age', () => {
  const expired = status(403, 'ExpiredProviderToken')

  test('is signed anew once, and that may be all there was', async () => {
    const { requests, errors, send } = setUp({ answers: [expired, status(200)] })
    expect(await send()).toEqual({ kind: 'sent' })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['bearer first', 'bearer second'])
    expect(errors()).toEqual([])
  })

  test.each([
    [true, 2],
    [false, 1],
  ])('and cannot be helped (another one may be signed: %s) is the clock: all devices wait', async (mayRenew, asked) => {
    const { requests, errors, send } = setUp({ answers: [expired], mayRenew })
    expect(await send()).toEqual({
      kind: 'defer',
      code: 'APNS_REJECTED',
      delayMs: 60_000,
      reason: 'HTTP 403: ExpiredProviderToken',
    })
    expect(await send(another(1))).toEqual({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 60_000 })
    expect(requests).toHaveLength(asked)
    expect(errors()).toMatchObject([{ message: expect.stringContaining('check the clock') }])
  })
})

test('settings that one environment refuses make its devices wait a minute at a time, with one error; the other goes on', async () => {
  const { clock, errors, send } = setUp({
    answers: [
      status(403, 'BadEnvironmentKeyInToken'),
      status(200),
      status(403, 'BadEnvironmentKeyInToken'),
      status(200),
    ],
  })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'APNS_REJECTED', delayMs: 60_000 })
  expect(await send(device({ environment: 'sandbox' }))).toEqual({ kind: 'sent' })
  clock.now += 59_999
  expect(await send(another(1))).toMatchObject({ kind: 'defer', code: 'ORIGIN_CLOSED' })
  clock.now += 1
  expect(await send(another(1))).toMatchObject({ kind: 'defer', code: 'APNS_REJECTED' })
  expect(errors()).toHaveLength(1)
  clock.now += 60_000
  expect(await send(another(2))).toEqual({ kind: 'sent' })
})

test('too many new tokens make all devices wait a minute', async () => {
  const { send } = setUp({ answers: [status(429, 'TooManyProviderTokenUpdates')] })
  const reason = 'HTTP 429: TooManyProviderTokenUpdates'
  expect(await send()).toEqual({ kind: 'defer', code: 'APNS_TOKEN_UPDATES', delayMs: 60_000, reason })
  expect(await send(another(1))).toMatchObject({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 60_000 })
})

test('too many requests for a device make that device wait', async () => {
  const { send } = setUp({ answers: [status(429, 'TooManyRequests'), status(200)] })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'RATE_LIMITED' })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'DEVICE_WAITS' })
  expect(await send(another(1))).toEqual({ kind: 'sent' })
})

test('a device is disabled as Apple says, but not when all of them would be', async () => {
  const { disabled, errors, send } = setUp({ answers: [status(400, 'BadDeviceToken')] })
  const reason = 'HTTP 400: BadDeviceToken'
  for (let index = 1; index <= 25; index += 1) {
    expect(await send(another(index))).toEqual({ kind: 'failed', code: 'INVALID_TOKEN', reason })
  }
  expect(disabled).toHaveLength(20)
  expect(disabled[0]).toEqual(['another 1', 'invalid-token'])
  expect(errors()).toHaveLength(1)
})

test('no connection makes all devices of the environment wait', async () => {
  const { send } = setUp({ answers: [new HttpRequestError('CONNECTION_FAILED', 'x', { sent: false })] })
  expect(await send()).toMatchObject({ kind: 'defer', code: 'CONNECTION_FAILED', delayMs: 5000 })
})

test('the stop of the worker is no fault of Apple’s', async () => {
  const { send } = setUp({ answers: [new HttpRequestError('ABORTED', 'x', { sent: true })] })
  const stopping = new AbortController()
  const sending = send(device(), message, stopping.signal)
  stopping.abort(new Error('stop'))
  expect(await sending).toEqual({ kind: 'retry', code: 'INTERRUPTED' })
})
