import { setMaxListeners } from 'node:events'
import { describe, expect, vi } from 'vitest'
import { createH1Client, createH2Client, createRequest, type PushClient } from '../../test/fixtures/push-client.js'
import { test as base } from '../test.js'
import { waitFor } from '../wait-for.js'
import type { PushDevice, PushService } from './index.js'

const withClient = (createClient: (ca: string) => PushClient) =>
  base.extend<{ client: PushClient; device: PushDevice }>({
    client: async ({ pushService, cleanUp }, use) => {
      const client = createClient(pushService.ca)
      cleanUp(() => client.close())
      await use(client)
    },
    device: async ({ pushService }, use) => {
      await use(pushService.subscribe())
    },
  })

const soon = <T>(condition: () => T, what: string) => waitFor(condition, { what, timeoutMs: 2_000, intervalMs: 5 })

const attemptOf = (service: PushService) => soon(() => service.attempts[0], 'the request')

describe.each([
  ['h2', withClient(createH2Client)],
  ['http/1.1', withClient(createH1Client)],
] as const)('over %s', (_, test) => {
  test.for([404, 410, 413, 429, 500, 503])(
    'answers %i although the message is in order',
    async (status, { pushService, client, device }) => {
      pushService.answer(device, status)
      expect(await client.send(createRequest(device))).toMatchObject({ status })
      expect(pushService.received).toEqual([])
      expect(pushService.attempts).toMatchObject([{ device, answer: status, reason: undefined }])
    },
  )

  test('says when to come again', async ({ pushService, client, device }) => {
    pushService.answer(device, { status: 429, retryAfter: 3, headers: { 'x-reason': 'quota' }, body: 'slow down' })
    const answer = await client.send(createRequest(device))
    expect(answer).toMatchObject({
      status: 429,
      body: 'slow down',
      headers: { 'retry-after': '3', 'x-reason': 'quota' },
    })
  })

  test('redirects', async ({ pushService, client, device }) => {
    pushService.answer(device, { redirect: 'https://169.254.169.254/' })
    const location = 'https://169.254.169.254/'
    expect(await client.send(createRequest(device))).toMatchObject({ status: 302, headers: { location } })
    expect(pushService.received).toEqual([])
  })

  test('told to answer 202, it still checks the message', async ({ pushService, client, device }) => {
    pushService.answer(device, 202)
    expect(await client.send(createRequest(device))).toMatchObject({ status: 202 })
    expect(await client.send(createRequest(device, { headers: { ttl: undefined } }))).toMatchObject({ status: 400 })
    expect(pushService.received).toHaveLength(1)
  })

  test('a late answer comes late, and the message is taken at once', async ({ pushService, client, device }) => {
    pushService.answer(device, { status: 201, delayMs: 300 })
    const since = performance.now()
    const sent = client
      .send(createRequest(device))
      .then((answer) => ({ ...answer, afterMs: performance.now() - since }))
    await attemptOf(pushService)
    expect(pushService.received).toHaveLength(1)
    const { status, afterMs } = await sent
    expect(status).toBe(201)
    expect(afterMs).toBeGreaterThan(290)
  })

  test('any number of late answers are under way without a warning', { timeout: 40_000 }, async ({
    pushService,
    client,
    device,
    cleanUp,
  }) => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    cleanUp(() => process.off('warning', onWarning))
    pushService.answer(device, { status: 201, delayMs: 60_000 })
    const givenUp = new AbortController()
    setMaxListeners(0, givenUp.signal)
    const requests = Array.from({ length: 12 }, () => client.send(createRequest(device), { signal: givenUp.signal }))
    await waitFor(() => pushService.attempts.length === 12, { what: 'the requests', timeoutMs: 30_000 })
    givenUp.abort()
    await Promise.all(requests)
    expect(warnings).toEqual([])
  })

  test('hangs until the client gives up, and answers others meanwhile', async ({ pushService, client, device }) => {
    pushService.answer(device, ['hang'])
    const givenUp = new AbortController()
    let isHanging = true
    const sent = client.send(createRequest(device), { signal: givenUp.signal }).finally(() => {
      isHanging = false
    })
    expect(await attemptOf(pushService)).toMatchObject({ answer: 'hang' })
    expect(await client.send(createRequest(device, { payload: 'second' }))).toMatchObject({ status: 201 })
    expect(isHanging).toBe(true)
    givenUp.abort()
    expect(await sent).toMatchObject({ status: undefined, failure: 'ABORT_ERR' })
    expect(pushService.received).toMatchObject([{ payload: 'second' }])
  })

  test('resets the connection', async ({ pushService, client, device }) => {
    pushService.answer(device, 'reset')
    expect(await client.send(createRequest(device))).toMatchObject({ status: undefined, failure: 'ECONNRESET' })
    expect(pushService.received).toEqual([])
  })

  test('drops the connection without an answer', async ({ pushService, client, device }) => {
    pushService.answer(device, 'drop')
    const answer = await client.send(createRequest(device))
    expect(answer).toMatchObject({ status: undefined, failure: expect.any(String) })
    expect(pushService.received).toEqual([])
  })

  test('resets the connection after the head of the answer', async ({ pushService, client, device }) => {
    pushService.answer(device, 'reset-after-head')
    const answer = await client.send(createRequest(device))
    expect(answer).toMatchObject({ status: 201, body: 'x', failure: expect.any(String) })
    expect(pushService.received).toHaveLength(1)
  })

  test('trickles its answer, a byte a second', async ({ pushService, client, device, cleanUp }) => {
    cleanUp(() => vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    pushService.answer(device, 'trickle')
    const givenUp = new AbortController()
    let soFar = ''
    const onBody = (body: string) => {
      soFar = body
    }
    const sent = client.send(createRequest(device), { signal: givenUp.signal, onBody })
    await soon(() => soFar.length === 1, 'the first byte')
    vi.advanceTimersByTime(10_000)
    await soon(() => soFar.length >= 11, 'ten more')
    givenUp.abort()
    expect(await sent).toMatchObject({ status: 201, body: 'x'.repeat(11), failure: 'ABORT_ERR' })
    await soon(() => vi.getTimerCount() === 0, 'the timer to be cleared')
    expect(pushService.received).toHaveLength(1)
  })

  test('answers 10 MB', async ({ pushService, client, device }) => {
    pushService.answer(device, 'huge')
    const { status, body } = await client.send(createRequest(device))
    expect({ status, length: body.length }).toEqual({ status: 201, length: 10 * 1024 * 1024 })
    expect(pushService.received).toHaveLength(1)
  })
})

describe('with streams in flight', () => {
  const test = withClient(createH2Client)

  test('says that it ends, answers them, and ends', async ({ pushService, client, device }) => {
    pushService.answer(device, [{ status: 201, delayMs: 200 }, 'goaway'])
    const order: string[] = []
    const note = <T>(what: string, happened: Promise<T>) => happened.finally(() => order.push(what))
    const inFlight = note('in flight', client.send(createRequest(device)))
    await attemptOf(pushService)
    const last = note('last', client.send(createRequest(device)))
    await Promise.all([note('goaway', client.goaway()), last, inFlight])
    expect(order).toEqual(['goaway', 'last', 'in flight'])
    for (const sent of [inFlight, last]) expect(await sent).toMatchObject({ status: 201, failure: undefined })
    await soon(() => pushService.connections === 0, 'the session to end')
    expect(pushService.received).toHaveLength(2)
  })

  test('says that it ends, and ends without answering them', async ({ pushService, client, device }) => {
    pushService.answer(device, ['hang', 'goaway-drop'])
    const inFlight = client.send(createRequest(device))
    await attemptOf(pushService)
    const last = client.send(createRequest(device))
    await client.goaway()
    for (const sent of [inFlight, last]) {
      expect(await sent).toMatchObject({ status: undefined, failure: expect.any(String) })
    }
    await soon(() => pushService.connections === 0, 'the session to end')
    expect(pushService.received).toEqual([])
  })
})

describe('HTTP/1.1 has no GOAWAY', () => {
  const test = withClient(createH1Client)

  test('the connection is closed after the answer instead', async ({ pushService, client, device }) => {
    pushService.answer(device, 'goaway')
    const answer = await client.send(createRequest(device))
    expect(answer).toMatchObject({ status: 201, headers: { connection: 'close' }, failure: undefined })
  })

  test('the connection is dropped instead', async ({ pushService, client, device }) => {
    pushService.answer(device, 'goaway-drop')
    expect(await client.send(createRequest(device))).toMatchObject({ status: undefined, failure: 'ECONNRESET' })
  })
})

describe('what is told', () => {
  const test = withClient(createH1Client)
  const statuses = async (client: PushClient, device: PushDevice, count: number) => {
    const seen: (number | undefined)[] = []
    for (let sent = 0; sent < count; sent += 1) seen.push((await client.send(createRequest(device))).status)
    return seen
  }

  test('a single answer holds until another is set', async ({ pushService, client, device }) => {
    pushService.answer(device, 500)
    expect(await statuses(client, device, 3)).toEqual([500, 500, 500])
    pushService.answer(device, 201)
    expect(await statuses(client, device, 1)).toEqual([201])
  })

  test('a list is given once', async ({ pushService, client, device }) => {
    pushService.answer(device, [429, 503])
    expect(await statuses(client, device, 4)).toEqual([429, 503, 201, 201])
  })

  test('an answer is given so often', async ({ pushService, client, device }) => {
    pushService.answer(device, 429, { times: 2 })
    expect(await statuses(client, device, 3)).toEqual([429, 429, 201])
    pushService.answer(device, [429, 503], { times: 2 })
    expect(await statuses(client, device, 5)).toEqual([429, 503, 429, 503, 201])
  })

  test('for a device counts before that for a host, and that before all', async ({ pushService, client, device }) => {
    const two = pushService.subscribe({ host: 'two.push.test' })
    const three = pushService.subscribe({ host: 'three.push.test' })
    pushService.answer('all', 500)
    pushService.answer({ host: 'two.push.test' }, 429)
    pushService.answer(device, 201)
    expect(await statuses(client, device, 1)).toEqual([201])
    expect(await statuses(client, two, 1)).toEqual([429])
    expect(await statuses(client, three, 1)).toEqual([500])
  })

  test('no answers, or a strange number of times, is an error', ({ pushService }) => {
    expect(() => pushService.answer('all', [])).toThrow('at least one answer')
    expect(() => pushService.answer('all', 429, { times: 0 })).toThrow('positive integer, found 0')
  })
})
