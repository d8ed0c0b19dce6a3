import { type HttpAnswer, type HttpRequest, HttpRequestError } from '@mono/http-client'
import { createRecordingLogger } from '@mono/test-support'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { AccessTokens } from './access-tokens.js'

const url = new URL('https://oauth2.example.com/token')
const { signal } = new AbortController()
const minute = 60_000

const answer = (status: number, body: object, headers = {}): HttpAnswer => ({
  status,
  headers,
  body: Buffer.from(JSON.stringify(body)),
  complete: true,
})
const invalidGrant = answer(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
const busy = answer(503, { error: 'busy' })

type Answer = HttpAnswer | Error | 'granted' | Promise<HttpAnswer>

/** A token endpoint that gives these answers, then tokens, and what it was asked. */
function setUp({ answers = [], expiresIn = 3600 }: { answers?: Answer[]; expiresIn?: number } = {}) {
  const clock = { now: 1_000_000_000 }
  const logger = createRecordingLogger()
  const requests: HttpRequest[] = []
  const refreshTokens: string[] = []
  const tokens = new AccessTokens({
    url,
    createForm: (now) => new URLSearchParams({ grant_type: 'client_credentials', now: String(now) }),
    adviseOnRefusal: (error) => `Refused with ${error}; check the settings`,
    onRefreshToken: (refreshToken) => refreshTokens.push(refreshToken),
    logger,
    now: () => clock.now,
    uptime: () => clock.now,
    random: () => 1,
    client: {
      async request(request) {
        requests.push(request)
        const next = answers[requests.length - 1] ?? 'granted'
        if (next instanceof Error) throw next
        if (next !== 'granted') return await next
        return answer(200, { access_token: `token-${requests.length}`, expires_in: expiresIn, token_type: 'Bearer' })
      },
    },
  })
  const levels = () => logger.lines.map(({ level }) => level)
  return { tokens, requests, refreshTokens, clock, logger, levels, get: () => tokens.get(signal) }
}

function createLateAnswer() {
  let resolve: (answer: HttpAnswer) => void = () => {}
  const promise = new Promise<HttpAnswer>((onAnswer) => {
    resolve = onAnswer
  })
  return { promise, resolve }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a token is asked for by a form, and given out until it is to be renewed', async () => {
  const { tokens, requests, clock, get } = setUp()
  expect(await get()).toBe('token-1')
  clock.now += 55 * minute - 1
  expect(await get()).toBe('token-1')
  expect([requests.length, tokens.refreshes]).toEqual([1, 1])
  const [request] = requests
  expect(request).toMatchObject({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(String(request?.body)).toBe('grant_type=client_credentials&now=1000000000')
})

test('a refresh token that comes with a token is told, and only then', async () => {
  const rotated = answer(200, { access_token: 'first', expires_in: 3600, refresh_token: 'next' })
  const { tokens, refreshTokens, get } = setUp({ answers: [rotated] })
  expect(await get()).toBe('first')
  expect(await tokens.renew('first', signal)).toBe('token-2')
  expect(refreshTokens).toEqual(['next'])
})

test('everybody who waits for the first token waits for one request', async () => {
  const { requests, get } = setUp()
  expect(await Promise.all([get(), get(), get()])).toEqual(['token-1', 'token-1', 'token-1'])
  expect(requests).toHaveLength(1)
})

describe('five minutes before its end', () => {
  test('a token is renewed once, and given out meanwhile', async () => {
    const { promise, resolve } = createLateAnswer()
    const { requests, clock, get } = setUp({ answers: ['granted', promise] })
    await get()
    clock.now += 55 * minute
    expect([await get(), await get()]).toEqual(['token-1', 'token-1'])
    expect(requests).toHaveLength(2)
    resolve(answer(200, { access_token: 'new', expires_in: 3600 }))
    await turn()
    expect(await get()).toBe('new')
    expect(requests).toHaveLength(2)
  })

  test.each([
    ['a refusal', invalidGrant],
    ['a token endpoint that is away', new HttpRequestError('CONNECTION_FAILED', 'No connection', { sent: false })],
  ])('%s does not matter until it has ended', async (_name, failure) => {
    const { requests, clock, levels, get } = setUp({ answers: ['granted', failure, failure] })
    await get()
    clock.now += 55 * minute
    expect([await get(), await get(), await get()]).toEqual(['token-1', 'token-1', 'token-1'])
    await turn()
    expect([requests.length, levels().length]).toEqual([2, 1])
    clock.now += 5 * minute
    await expect(get()).rejects.toMatchObject({ name: 'AccessTokenError' })
    expect(requests).toHaveLength(3)
  })

  test('or, of one that lasts less than ten, in the middle of its time', async () => {
    const { requests, clock, get } = setUp({ expiresIn: 10 })
    await get()
    clock.now += 4_999
    await get()
    expect(requests).toHaveLength(1)
    clock.now += 1
    await get()
    expect(requests).toHaveLength(2)
  })
})

describe('a token that was refused', () => {
  test('is renewed once, however many requests it was refused for', async () => {
    const { tokens, requests, get } = setUp()
    const refused = await get()
    const renewed = await Promise.all([1, 2, 3].map(() => tokens.renew(refused, signal)))
    expect(renewed).toEqual(['token-2', 'token-2', 'token-2'])
    expect(await tokens.renew(refused, signal)).toBe('token-2')
    expect(requests).toHaveLength(2)
  })

  test('is not given out again if no other can be had', async () => {
    const { tokens, get } = setUp({ answers: ['granted', busy] })
    await expect(tokens.renew(await get(), signal)).rejects.toMatchObject({ code: 'ACCESS_TOKEN_UNAVAILABLE' })
    await expect(get()).rejects.toMatchObject({ code: 'ACCESS_TOKEN_UNAVAILABLE' })
  })
})

describe('a refusal', () => {
  test('is one error line with the words of the endpoint, which is not asked again for a minute', async () => {
    const { requests, clock, logger, levels, get } = setUp({ answers: [invalidGrant, invalidGrant] })
    const reason = 'HTTP 400: Invalid JWT Signature.'
    await expect(get()).rejects.toMatchObject({
      code: 'ACCESS_TOKEN_REFUSED',
      reason,
      error: 'invalid_grant',
      delayMs: 60_000,
    })
    clock.now += 59_000
    await expect(get()).rejects.toMatchObject({ code: 'ACCESS_TOKEN_REFUSED', reason, delayMs: 1_000 })
    expect(requests).toHaveLength(1)
    clock.now += 1_000
    await expect(get()).rejects.toMatchObject({ delayMs: 60_000 })
    expect(levels()).toEqual(['error', 'debug'])
    expect(logger.lines[0]).toMatchObject({
      message: 'Refused with invalid_grant; check the settings',
      data: { origin: 'https://oauth2.example.com', reason },
    })
    clock.now += 60_000
    expect(await get()).toBe('token-3')
    expect(levels()).toEqual(['error', 'debug', 'info'])
  })
})

describe('a token endpoint that is away', () => {
  test('is asked again after a time that grows, up to eight seconds', async () => {
    const away = new HttpRequestError('CONNECTION_FAILED', 'No connection', {
      sent: false,
      cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
    })
    const { clock, levels, get } = setUp({ answers: [away, away, away, away, away] })
    const reason = 'No connection (ECONNREFUSED)'
    for (const delayMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      await expect(get()).rejects.toMatchObject({ code: 'ACCESS_TOKEN_UNAVAILABLE', reason, delayMs })
      clock.now += delayMs
    }
    expect(await get()).toBe('token-6')
    expect(levels()).toEqual(['warn', 'debug', 'debug', 'debug', 'debug', 'info'])
  })

  test('is left alone for as long as it says', async () => {
    const { clock, requests, get } = setUp({ answers: [answer(503, {}, { 'retry-after': '30' })] })
    await expect(get()).rejects.toMatchObject({ delayMs: 30_000 })
    clock.now += 29_999
    await expect(get()).rejects.toMatchObject({ delayMs: 1 })
    expect(requests).toHaveLength(1)
  })

  test('and refuses when it is back, which is an error line too', async () => {
    const { clock, levels, get } = setUp({ answers: [busy, invalidGrant] })
    await expect(get()).rejects.toMatchObject({ code: 'ACCESS_TOKEN_UNAVAILABLE' })
    clock.now += 1_000
    await expect(get()).rejects.toMatchObject({ code: 'ACCESS_TOKEN_REFUSED' })
    expect(levels()).toEqual(['warn', 'error'])
  })
})

describe('time', () => {
  afterEach(() => void vi.useRealTimers())

  test('is up after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { requests, get } = setUp({ answers: [new Promise(() => {})] })
    void get().catch(() => {})
    await vi.advanceTimersByTimeAsync(9_999)
    expect(requests[0]?.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await turn()
    expect(requests[0]?.signal.aborted).toBe(true)
  })

  test('that ends for one who waits ends for nobody else', async () => {
    const { promise, resolve } = createLateAnswer()
    const { tokens, get } = setUp({ answers: [promise] })
    const stopping = new AbortController()
    const stopped = tokens.get(stopping.signal)
    const waiting = get()
    stopping.abort(new Error('stop'))
    await expect(stopped).rejects.toThrow('stop')
    resolve(answer(200, { access_token: 'late', expires_in: 3600 }))
    expect(await waiting).toBe('late')
  })
})

test('a bug is thrown, and the next one asks anew', async () => {
  const { get } = setUp({ answers: [new TypeError('x is not a function')] })
  await expect(get()).rejects.toThrow(TypeError)
  expect(await get()).toBe('token-2')
})
