import { createECDH, randomBytes } from 'node:crypto'
import { type HttpAnswer, type HttpRequest, HttpRequestError } from '@mono/http-client'
import { createRecordingLogger } from '@mono/test-support'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Device, DisableReason } from '../device.js'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { PushMessage } from '../sending/push-channel.js'
import { createCredentialsWatch } from './credentials-watch.js'
import { createEndpointGuard } from './endpoint-guard.js'
import { createWebPushChannel } from './web-push-channel.js'

const message: PushMessage = {
  notification: { title: 'Hello', body: 'Ada' },
  tenantId: 42,
  messageId: 'message-1',
  publishedAt: new Date('2026-11-01T00:00:00Z'),
  options: { ttlSeconds: 60, urgency: 'normal', extras: {} },
}
const fcm = 'https://fcm.googleapis.com'

const device = (fields: Partial<Device> = {}): Device => ({
  id: '7',
  channel: 'web',
  address: `${fcm}/fcm/send/abc`,
  addressKind: 'token',
  environment: 'production',
  registeredAt: '2026-11-01T00:00:00.000001+00:00',
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
  isDisabled: false,
  refusals: 0,
  ...fields,
})

/** Of the same push service. */
const another = (index: number): Device => device({ id: `another ${index}`, address: `${fcm}/fcm/send/${index}` })

const status = (code: number, headers: HttpAnswer['headers'] = {}, body = ''): HttpAnswer => ({
  status: code,
  headers,
  body: Buffer.from(body),
  complete: true,
})

type Answer = HttpAnswer | Error | ((request: HttpRequest) => Promise<HttpAnswer>)

/** A push service that gives these answers, the last one again and again, and what it was asked. */
function setUp({ answers, disableDevice }: { answers: Answer[]; disableDevice?: () => Promise<boolean> }) {
  const requests: HttpRequest[] = []
  const refusals: string[] = []
  const disabled: [string, DisableReason][] = []
  const counted: string[] = []
  const clock = { now: 1_000_000 }
  const now = () => clock.now
  const logger = createRecordingLogger()
  let renewals = 0
  const sender = createDeviceSender({
    channel: 'web',
    guard: createDeadGuard({ channel: 'web', logger, now }),
    counts: { disabled: (channel, reason) => counted.push(`${channel} ${reason}`) },
    gate: new OriginGate({ concurrency: 10, logger, now, random: () => 1 }),
    waits: createDeviceWaits({ now, random: () => 1 }),
    deviceStore: {
      async disableDevice({ id }, reason) {
        const isDisabled = (await disableDevice?.()) ?? true
        disabled.push([id, reason])
        return isDisabled
      },
      async countRefusal({ id }) {
        refusals.push(id)
        return false
      },
      async clearRefusals({ id }) {
        refusals.push(`${id} cleared`)
      },
    },
  })
  const channel = createWebPushChannel({
    sender,
    now,
    guard: createEndpointGuard({ allow: [] }),
    credentials: createCredentialsWatch({ logger }),
    tokens: {
      get: () => `token ${renewals}`,
      renew() {
        renewals += 1
        return `token ${renewals}`
      },
    },
    client: {
      async request(request) {
        requests.push(request)
        const answer = answers[Math.min(requests.length, answers.length) - 1]
        if (answer instanceof Error) throw answer
        return typeof answer === 'function' ? await answer(request) : (answer ?? status(201))
      },
    },
  })
  const { signal } = new AbortController()
  const send = (to: Device = device(), own = signal, sent = message) =>
    channel.prepare(sent).send(to, { tenantId: 1, signal: own, logger })
  return { requests, disabled, counted, refusals, clock, logger, send }
}

test.each([
  [410, 'failed', 'GONE'],
  [400, 'failed', 'PROVIDER_REJECTED'],
  [429, 'defer', 'RATE_LIMITED'],
  [500, 'retry', 'PROVIDER_UNAVAILABLE'],
  [403, 'defer', 'VAPID_REJECTED'],
])('the words of a %i are the reason', async (code, kind, ledgerCode) => {
  const { send } = setUp({ answers: [status(code, {}, `No ${fcm}/fcm/send/abc,\nsorry`)] })
  expect(await send()).toMatchObject({ kind, code: ledgerCode, reason: `HTTP ${code}: No [url]` })
})

test('the words of the failure that closes a push service are the reason', async () => {
  const { send } = setUp({ answers: [status(500, {}, 'Out of order')] })
  for (let index = 1; index < 5; index += 1) await send(another(index))
  expect(await send()).toMatchObject({ kind: 'defer', reason: 'HTTP 500: Out of order' })
})

test('a notification is posted to the endpoint, and taken', async () => {
  const { requests, send } = setUp({ answers: [status(201, { location: '/m/1' })] })
  expect(await send()).toEqual({ kind: 'sent', providerId: '/m/1' })
  expect(requests).toMatchObject([{ method: 'POST', headers: { authorization: 'token 0', ttl: '60' } }])
  expect(requests[0]?.url.href).toBe(`${fcm}/fcm/send/abc`)
})

describe('nothing is sent', () => {
  test.each(['http://fcm.googleapis.com/abc', 'https://127.0.0.1/abc', 'https://example.com/abc'])(
    'to an endpoint that is refused: %s',
    async (address) => {
      const { requests, logger, send } = setUp({ answers: [] })
      expect(await send(device({ address }))).toEqual({ kind: 'failed', code: 'ENDPOINT_REFUSED' })
      expect(requests).toHaveLength(0)
      expect(JSON.stringify(logger.lines)).not.toContain('abc')
    },
  )

  test.each(['push', 'http://fcm.googleapis.com/abc', 'https://permanently-removed.invalid/fcm/send/abc'])(
    'to an endpoint that can never be served, %s, and its device is disabled',
    async (address) => {
      const { requests, disabled, send } = setUp({ answers: [] })
      expect(await send(device({ address }))).toEqual({ kind: 'failed', code: 'ENDPOINT_REFUSED' })
      expect(disabled).toEqual([['7', 'invalid-endpoint']])
      expect(requests).toHaveLength(0)
    },
  )

  test('to an endpoint that another list would let through, and its device stays', async () => {
    const { disabled, send } = setUp({ answers: [] })
    await send(device({ address: 'https://push.example.com/abc' }))
    expect(disabled).toEqual([])
  })

  test('with keys that are none; the device is disabled, and its push service not blamed', async () => {
    const { requests, disabled, send } = setUp({ answers: [] })
    expect(await send(device({ p256dh: 'none' }))).toEqual({ kind: 'failed', code: 'INVALID_KEYS' })
    expect(disabled).toEqual([['7', 'invalid-keys']])
    expect(requests).toHaveLength(0)
    expect(await send()).toEqual({ kind: 'sent' })
  })

  test('to a push service that has to be left alone; others are served', async () => {
    const unreachable = new HttpRequestError('CONNECTION_FAILED', 'refused', { sent: false })
    const { requests, clock, send } = setUp({ answers: [unreachable, status(201)] })
    expect(await send()).toEqual({ kind: 'defer', code: 'CONNECTION_FAILED', delayMs: 5000 })
    clock.now += 1000
    expect(await send(another(1))).toEqual({ kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 4000 })
    expect(requests).toHaveLength(1)
    expect(await send(device({ address: 'https://web.push.apple.com/abc' }))).toEqual({ kind: 'sent' })
    clock.now += 4000
    expect(await send(another(1))).toEqual({ kind: 'sent' })
  })

  test('to a device that has to wait; others of its push service are served', async () => {
    const { requests, clock, send } = setUp({ answers: [status(429, { 'retry-after': '3' }), status(201)] })
    expect(await send()).toEqual({ kind: 'defer', code: 'RATE_LIMITED', delayMs: 3000 })
    clock.now += 1000
    expect(await send()).toEqual({ kind: 'defer', code: 'DEVICE_WAITS', delayMs: 2000 })
    expect(requests).toHaveLength(1)
    expect(await send(another(1))).toEqual({ kind: 'sent' })
    clock.now += 2000
    expect(await send()).toEqual({ kind: 'sent' })
  })
})

test('a device that was told no time waits longer each time', async () => {
  const { clock, send } = setUp({ answers: [status(429)] })
  for (const delayMs of [5000, 10_000, 20_000]) {
    expect(await send()).toEqual({ kind: 'defer', code: 'RATE_LIMITED', delayMs })
    clock.now += delayMs
  }
})

test('ten devices that have to wait make the others wait as long', async () => {
  const { send } = setUp({ answers: [status(503, { 'retry-after': '30' })] })
  const results = []
  for (let index = 1; index <= 11; index += 1) results.push(await send(another(index)))
  expect(results).toEqual([
    ...Array.from({ length: 10 }, () => ({ kind: 'defer', code: 'PROVIDER_UNAVAILABLE', delayMs: 30_000 })),
    { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 30_000 },
  ])
})

describe('a device that is gone', () => {
  test.each([404, 410])('is disabled after %i', async (code) => {
    const { disabled, send } = setUp({ answers: [status(code)] })
    expect(await send()).toEqual({ kind: 'failed', code: 'GONE' })
    expect(disabled).toEqual([['7', 'gone']])
  })

  test('is counted', async () => {
    const { counted, send } = setUp({ answers: [status(410)] })
    await send()
    expect(counted).toEqual(['web gone'])
  })

  test('is not counted, nor told of, if it was registered anew meanwhile, or disabled by another message', async () => {
    const { counted, logger, send } = setUp({ answers: [status(410)], disableDevice: async () => false })
    await send()
    expect([counted, logger.lines]).toEqual([[], []])
  })

  test('is not disabled when too many are called gone, but one whose address can never be served is', async () => {
    const { disabled, counted, send } = setUp({ answers: [status(410)] })
    for (let index = 0; index < 100; index += 1) {
      expect(await send(another(index))).toMatchObject({ kind: 'failed', code: 'GONE' })
    }
    expect([disabled.length, counted.length]).toEqual([20, 20])
    await send(device({ address: 'http://push.example.com/a' }))
    expect(disabled.at(-1)).toEqual(['7', 'invalid-endpoint'])
  })

  test('is a result even if it cannot be disabled now', async () => {
    const { logger, send } = setUp({
      answers: [status(410)],
      disableDevice: () => Promise.reject(new Error('database away')),
    })
    expect(await send()).toEqual({ kind: 'failed', code: 'GONE' })
    expect(logger.lines).toMatchObject([{ level: 'warn', data: { deviceId: '7' } }])
  })

  test('is the only one that is', async () => {
    const { disabled, send } = setUp({ answers: [400, 413, 301, 500, 403, 201].map((code) => status(code)) })
    for (let count = 0; count < 5; count += 1) await send(another(count))
    expect(disabled).toEqual([])
  })
})

describe('credentials that are refused', () => {
  test.each([401, 403])('are signed again once after %i, and that may be all there was', async (code) => {
    const { requests, send } = setUp({ answers: [status(code), status(201)] })
    expect(await send()).toEqual({ kind: 'sent' })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['token 0', 'token 1'])
  })

  test('twice make the device wait, and no other', async () => {
    const { refusals, send } = setUp({ answers: [status(403), status(403), status(201)] })
    expect(await send()).toEqual({ kind: 'defer', code: 'VAPID_REJECTED', delayMs: 60_000 })
    expect(await send(another(1))).toEqual({ kind: 'sent' })
    expect(refusals).toEqual([])
  })

  test('for ten devices close the push service for all, with one error line', async () => {
    const { requests, logger, send } = setUp({ answers: [status(403)] })
    for (let index = 1; index <= 9; index += 1) {
      expect(await send(another(index))).toEqual({ kind: 'defer', code: 'VAPID_REJECTED', delayMs: 60_000 })
    }
    expect(await send(another(10))).toMatchObject({ kind: 'defer', code: 'VAPID_REJECTED' })
    expect(await send(another(11))).toMatchObject({ kind: 'defer', code: 'ORIGIN_CLOSED' })
    expect(requests).toHaveLength(20)
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  test('that are accepted for others are this device’s own fault, and counted', async () => {
    const { refusals, send } = setUp({ answers: [status(201), status(403), status(403), status(201)] })
    expect(await send(another(1))).toEqual({ kind: 'sent' })
    expect(await send()).toEqual({ kind: 'failed', code: 'VAPID_MISMATCH' })
    expect(await send(another(1))).toEqual({ kind: 'sent' })
    expect(refusals).toEqual(['7'])
  })

  test('do not count any more when the device is accepted', async () => {
    const { refusals, send } = setUp({ answers: [status(201)] })
    await send()
    await send(device({ refusals: 3 }))
    expect(refusals).toEqual(['7 cleared'])
  })
})

test('a notification that is too large fails for the device, and nothing is sent', async () => {
  const { requests, disabled, send } = setUp({ answers: [status(201)] })
  const large = { ...message, notification: { title: '', body: 'x'.repeat(4000) } }
  expect(await send(device(), undefined, large)).toEqual({
    kind: 'failed',
    code: 'PAYLOAD_TOO_LARGE',
    reason: 'title, body, data and tag take more than 3993 bytes',
  })
  expect([requests, disabled]).toEqual([[], []])
})

describe('a push service that fails', () => {
  test('is a retry of the device, until it fails five times in a row: then its devices wait', async () => {
    const { send } = setUp({ answers: [status(500)] })
    const results = []
    for (let count = 1; count <= 6; count += 1) results.push(await send())
    expect(results.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'retry', 'retry', 'defer', 'defer'])
    const reason = 'HTTP 500'
    expect(results[4]).toEqual({ kind: 'defer', code: 'PROVIDER_UNAVAILABLE', delayMs: 5000, reason })
  })

  test('to connect makes its devices wait at once', async () => {
    const { send } = setUp({ answers: [new HttpRequestError('CONNECTION_FAILED', 'refused', { sent: false })] })
    expect(await send()).toEqual({ kind: 'defer', code: 'CONNECTION_FAILED', delayMs: 5000 })
  })

  test('in the middle of the answer is a retry: the tag keeps it from being shown twice', async () => {
    const { send } = setUp({ answers: [new HttpRequestError('CONNECTION_LOST', 'reset', { sent: true })] })
    expect(await send()).toEqual({ kind: 'retry', code: 'CONNECTION_LOST' })
  })
})

describe('time', () => {
  afterEach(() => void vi.useRealTimers())

  test('in line is a minute at most; then no attempt is counted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const slow = () => after(9_000).then(() => status(201))
    const { send } = setUp({ answers: [slow] })
    // Ten at a time: seven rounds are begun within the minute.
    const results = Promise.all(Array.from({ length: 71 }, (_, index) => send(another(index))))
    await vi.advanceTimersByTimeAsync(60_000)
    await vi.runAllTimersAsync()
    const kinds = (await results).map(({ kind }) => kind)
    expect(kinds).toEqual([...Array(70).fill('sent'), 'defer'])
    expect((await results).at(-1)).toEqual({ kind: 'defer', code: 'ORIGIN_BUSY' })
  })

  /** As the client does it: the signal ends the request. */
  const untilAborted = ({ signal }: HttpRequest) =>
    new Promise<never>((_, reject) => {
      const onAbort = () => reject(new HttpRequestError('ABORTED', 'aborted', { sent: true, cause: signal.reason }))
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort)
    })

  test('is up after ten seconds, both requests with their credentials together', async () => {
    vi.useFakeTimers()
    const { requests, send } = setUp({ answers: [status(401), untilAborted] })
    const sending = send()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false, false])
    // And two turns of the event loop, a millisecond each of this clock.
    await vi.advanceTimersByTimeAsync(3)
    expect(await sending).toEqual({ kind: 'retry', code: 'TIMEOUT' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that ends because the worker stops is no fault of the push service', async () => {
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
  const { send } = setUp({ answers: [bug, status(201)] })
  await expect(send()).rejects.toBe(bug)
  expect(await send()).toEqual({ kind: 'sent' })
})
