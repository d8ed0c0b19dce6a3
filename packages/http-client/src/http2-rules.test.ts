import { setMaxListeners } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { createTcpProxy, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { certificate } from '../test/certificate.js'
import { createHttpsServer, type HttpsServerOptions } from '../test/https-server.js'
import { createHttpOriginClient } from './http-origin-client.js'
import type { Goaway, Http2Rules } from './http2-rules.js'

const { signal: never } = new AbortController()
setMaxListeners(0, never)

/** A server as told, and a client that keeps rules: 200 is the proof, and 429 ends a session. */
async function setUp(
  cleanUp: TestFixtures['cleanUp'],
  server: HttpsServerOptions,
  { maxConcurrent = 100, ...rules }: Partial<Http2Rules> & { maxConcurrent?: number } = {},
) {
  const https = await createHttpsServer(server)
  cleanUp(() => https.close())
  const goaways: Goaway[] = []
  const client = createHttpOriginClient({
    ca: certificate,
    maxConcurrent,
    http2: {
      isProof: ({ status }) => status === 200,
      endsSession: ({ status }) => status === 429,
      pingMs: 60_000,
      pongMs: 60_000,
      reopenMs: 0,
      onGoaway: (goaway) => goaways.push(goaway),
      ...rules,
    },
  })
  cleanUp(() => client.close())
  const send = (url: string) => client.request({ url: new URL(url), method: 'POST', headers: {}, signal: never })
  const request = (path = '/') => send(`${https.origin}${path}`)
  return { https, client, send, request, goaways }
}

const answer = (stream: ServerHttp2Stream, status = 200) => {
  stream.respond({ ':status': status })
  stream.end()
}

/** Streams that are answered by hand, and how many were open at a time. */
function createHeldStreams() {
  const held: ServerHttp2Stream[] = []
  let most = 0
  return {
    held,
    get most() {
      return most
    },
    onStream(stream: ServerHttp2Stream) {
      held.push(stream)
      most = Math.max(most, held.length)
    },
    async answerNext(status?: number) {
      await waitFor(() => held.length > 0, { what: 'a stream', intervalMs: 1 })
      answer(held.shift() as ServerHttp2Stream, status)
    },
  }
}

describe('until the server has proved that it knows us', () => {
  test('a session has one stream at a time; then as many as the server wants', async ({ cleanUp }) => {
    const streams = createHeldStreams()
    const { request, client } = await setUp(cleanUp, { maxConcurrentStreams: 7, onStream: streams.onStream })
    const answers = Promise.all(Array.from({ length: 20 }, () => request()))
    await streams.answerNext(400)
    await streams.answerNext(503)
    expect(streams.most).toBe(1)
    await streams.answerNext(200)
    await waitFor(() => streams.held.length === 7, { what: 'seven streams' })
    expect(client.inFlight).toBe(7)
    for (let index = 3; index < 20; index += 1) await streams.answerNext()
    await answers
    expect(streams.most).toBe(7)
    expect(client.inFlight).toBe(0)
  })

  test.for([
    [1, 1],
    [500, 30],
  ])('settings of one stream, then of %i: %i at a time', async ([wanted, expected], { cleanUp }) => {
    const streams = createHeldStreams()
    const { https, request } = await setUp(
      cleanUp,
      { maxConcurrentStreams: 1, onStream: streams.onStream },
      { maxConcurrent: 30 },
    )
    const answers = Promise.all(Array.from({ length: 60 }, () => request()))
    await streams.answerNext()
    https.sessions[0]?.settings({ maxConcurrentStreams: wanted })
    await waitFor(() => streams.held.length === expected, { what: `${expected} streams` })
    for (let index = 1; index < 60; index += 1) await streams.answerNext()
    await answers
    expect(streams.most).toBe(expected)
  })

  test('the next session has to have a proof of its own', async ({ cleanUp }) => {
    const streams = createHeldStreams()
    const { https, request } = await setUp(cleanUp, { onStream: streams.onStream })
    const first = request()
    await streams.answerNext()
    await first
    https.sessions[0]?.close()
    await waitFor(() => https.sockets[0]?.destroyed, { what: 'the first session to end' })
    const answers = Promise.all([request(), request()])
    await streams.answerNext()
    await streams.answerNext()
    await answers
    expect(streams.most).toBe(1)
    expect(https.sessions).toHaveLength(2)
  })
})

test('an answer that ends the session lets what is under way go on; the next request goes over another', async ({
  cleanUp,
}) => {
  const streams = createHeldStreams()
  const { https, request } = await setUp(cleanUp, { onStream: streams.onStream })
  const proof = request()
  await streams.answerNext()
  await proof
  const underWay = [request('/1'), request('/2')]
  await waitFor(() => streams.held.length === 2, { what: 'both streams' })
  await streams.answerNext(429)
  await underWay[0]
  const next = request('/3')
  await waitFor(() => https.sessions.length === 2, { what: 'the second session' })
  await streams.answerNext(200)
  expect(await underWay[1]).toMatchObject({ status: 200 })
  await streams.answerNext(200)
  await next
})

test('connections to an origin do not follow each other sooner than they may', async ({ cleanUp }) => {
  const { https, request } = await setUp(cleanUp, { onStream: (stream) => answer(stream, 429) }, { reopenMs: 200 })
  const begin = performance.now()
  for (let index = 0; index < 3; index += 1) await request()
  expect(https.sessions).toHaveLength(3)
  // Timers may be early by a part of a millisecond.
  expect(performance.now() - begin).toBeGreaterThanOrEqual(2 * 199)
})

test('closing does not wait for a connection whose turn has not come', async ({ cleanUp }) => {
  const { client, request } = await setUp(cleanUp, { onStream: (stream) => answer(stream, 429) }, { reopenMs: 60_000 })
  await request()
  const waiting = expect(request()).rejects.toMatchObject({ sent: false })
  await client.close()
  await waiting
})

test('a server that does not speak HTTP/2 is none', async ({ cleanUp }) => {
  const { request } = await setUp(cleanUp, { protocol: 'http/1.1' })
  await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', sent: false })
})

test('a GOAWAY is told once with what the server says, and is with the requests that it ends', async ({ cleanUp }) => {
  const { https, request, goaways } = await setUp(cleanUp, {
    onStream(stream) {
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1, Buffer.from('{"reason":"Shutdown"}'))
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1)
      setImmediate(() => https.kill())
    },
  })
  const goaway = { origin: https.origin, errorCode: 0, lastStreamId: 1, data: '{"reason":"Shutdown"}' }
  await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_LOST', sent: true, goaway })
  expect(goaways).toEqual([goaway])
})

describe('a server that says nothing for a while', () => {
  test('is asked whether it is there, and stays connected', async ({ cleanUp }) => {
    let pings = 0
    const { https, request } = await setUp(
      cleanUp,
      {
        onSession: (session) => void session.on('ping', () => (pings += 1)),
        onStream: (stream) => answer(stream),
      },
      { pingMs: 30, pongMs: 5_000 },
    )
    await request()
    await waitFor(() => pings >= 3, { what: 'three pings' })
    await request()
    expect(https.sessions).toHaveLength(1)
  })

  test('and nothing then either: its connection is dropped, and the next request gets another', async ({ cleanUp }) => {
    const { https, send } = await setUp(cleanUp, { onStream: (stream) => answer(stream) }, { pingMs: 100, pongMs: 100 })
    const proxy = await createTcpProxy({ target: https.origin })
    cleanUp(() => proxy.close())
    await send(proxy.url(https.origin))
    proxy.freeze('from-target')
    await waitFor(() => proxy.connections === 0, { what: 'the connection to be dropped' })
    proxy.thaw()
    expect(await send(proxy.url(https.origin))).toMatchObject({ status: 200 })
    expect(https.sessions).toHaveLength(2)
  })
})
