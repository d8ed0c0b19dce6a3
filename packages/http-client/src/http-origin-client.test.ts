import { setMaxListeners } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { createServer, type LookupFunction, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { certificate, privateKey } from '../test/certificate.js'
import { createHttpsServer, type HttpsServer, type HttpsServerOptions } from '../test/https-server.js'
import type { HttpRequest } from './http-messages.js'
import { createHttpOriginClient, type HttpOriginClientOptions } from './http-origin-client.js'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

const { signal: never } = new AbortController()
setMaxListeners(0, never)

/** A server as told, and a client that trusts it. */
async function setUp(cleanUp: CleanUp, server: HttpsServerOptions, options: HttpOriginClientOptions = {}) {
  const https = await createHttpsServer(server)
  cleanUp(() => https.close())
  return { https, ...createClient(cleanUp, https.origin, options) }
}

function createClient(cleanUp: CleanUp, origin: string, options: HttpOriginClientOptions = {}) {
  const client = createHttpOriginClient({ ca: certificate, ...options })
  cleanUp(() => client.close())
  const request = (path = '/', more: Partial<HttpRequest> = {}) =>
    client.request({
      url: new URL(path, origin),
      method: 'POST',
      headers: { ttl: '60' },
      body: Buffer.from('hello'),
      signal: never,
      ...more,
    })
  return { client, request }
}

const answer = (stream: ServerHttp2Stream, body = 'ok') => {
  stream.respond({ ':status': 201, location: '/m/1' })
  stream.end(body)
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('HTTP/2', () => {
  test('is spoken with a server that can; the request arrives as it is, and its answer', async ({ cleanUp }) => {
    let seen: unknown
    const { https, request } = await setUp(cleanUp, {
      async onStream(stream, headers) {
        seen = [headers[':method'], headers[':path'], headers[':authority'], headers.ttl, await readAll(stream)]
        answer(stream)
      },
    })
    const { status, headers, body, complete } = await request('/send/a?b=c#d')
    expect(seen).toEqual(['POST', '/send/a?b=c', `127.0.0.1:${https.port}`, '60', 'hello'])
    expect({ status, location: headers.location, body: body.toString(), complete }).toEqual({
      status: 201,
      location: '/m/1',
      body: 'ok',
      complete: true,
    })
  })

  test('has one session for all requests of an origin', async ({ cleanUp }) => {
    const { https, request } = await setUp(cleanUp, { onStream: (stream) => answer(stream) })
    await Promise.all(Array.from({ length: 50 }, () => request()))
    await request()
    expect(https.sessions).toHaveLength(1)
  })

  test('never has more streams than the server wants; the others wait', async ({ cleanUp }) => {
    let open = 0
    let most = 0
    const { request } = await setUp(cleanUp, {
      maxConcurrentStreams: 3,
      onStream(stream) {
        open += 1
        most = Math.max(most, open)
        setImmediate(() => {
          open -= 1
          answer(stream)
        })
      },
    })
    const answers = await Promise.all(Array.from({ length: 20 }, () => request()))
    expect(answers.every(({ status }) => status === 201)).toBe(true)
    expect(most).toBe(3)
  })

  test('sends a request again, once, that the server has refused to look at', async ({ cleanUp }) => {
    const paths: string[] = []
    const { request } = await setUp(cleanUp, {
      onStream(stream, headers) {
        paths.push(String(headers[':path']))
        const isRefused = headers[':path'] === '/always' || (headers[':path'] === '/once' && paths.length === 1)
        if (isRefused) stream.close(constants.NGHTTP2_REFUSED_STREAM)
        else answer(stream)
      },
    })
    expect(await request('/once')).toMatchObject({ status: 201 })
    await expect(request('/always')).rejects.toMatchObject({ code: 'UNPROCESSED', sent: false })
    expect(paths).toEqual(['/once', '/once', '/always', '/always'])
  })

  test('does not send a request again whose stream is reset for another reason', async ({ cleanUp }) => {
    let streams = 0
    const { request } = await setUp(cleanUp, {
      onStream(stream) {
        streams += 1
        stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      },
    })
    await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_LOST', sent: true })
    expect(streams).toBe(1)
  })

  test.for(['lost', 'cut off'])(
    'an answer that was %s makes the next request go over another session',
    async (how, { cleanUp }) => {
      const { https, request } = await setUp(
        cleanUp,
        {
          onStream(stream, _headers, count) {
            if (count > 1) answer(stream)
            else if (how === 'lost') stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
            else answer(stream, 'x'.repeat(2000))
          },
        },
        { maxBodyBytes: 1000 },
      )
      await request().catch(() => {})
      expect(await request()).toMatchObject({ status: 201, complete: true })
      expect(https.sessions).toHaveLength(2)
    },
  )

  test('a session goes on that answers others while one request is out of time', async ({ cleanUp }) => {
    const { https, request } = await setUp(cleanUp, {
      onStream: (stream, headers) => void (headers[':path'] === '/hang' || answer(stream)),
    })
    const controller = new AbortController()
    const hanging = request('/hang', { signal: controller.signal })
    await request()
    controller.abort()
    await expect(hanging).rejects.toMatchObject({ code: 'ABORTED' })
    await request()
    expect(https.sessions).toHaveLength(1)
  })

  test('a GOAWAY: streams up to the last go on, those above it are sent again on a new session', async ({
    cleanUp,
  }) => {
    const held: ServerHttp2Stream[] = []
    const { https, request } = await setUp(cleanUp, {
      onStream(stream, _headers, count) {
        if (count > 3) return answer(stream, 'again')
        held.push(stream)
        // Streams 1, 3 and 5: the last is not looked at.
        if (count === 3) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 3)
      },
    })
    const answers = [request('/1'), request('/2'), request('/3')]
    expect((await answers[2])?.body.toString()).toBe('again')
    for (const stream of held.slice(0, 2)) answer(stream, 'first')
    expect((await Promise.all(answers)).map(({ body }) => body.toString())).toEqual(['first', 'first', 'again'])
    expect(https.sessions).toHaveLength(2)
  })

  test('a GOAWAY for an error: streams up to the last may have been processed', async ({ cleanUp }) => {
    const { request } = await setUp(cleanUp, {
      onStream(stream, _headers, count) {
        if (count > 2) answer(stream)
        else if (count === 2) stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 1)
      },
    })
    const [first, second] = await Promise.allSettled([request('/1'), request('/2')])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_LOST', sent: true } })
    expect(second).toMatchObject({ status: 'fulfilled', value: { status: 201 } })
  })

  test('a server that ends every session at once is not connected to without end', async ({ cleanUp }) => {
    const { https, request } = await setUp(cleanUp, {
      onSession: (session) => session.goaway(constants.NGHTTP2_NO_ERROR),
    })
    await expect(request()).rejects.toMatchObject({ code: 'UNPROCESSED', sent: false })
    expect(https.sessions.length).toBeLessThanOrEqual(5)
  })

  test('a server that ends every session after an answer is connected to as often as it takes', async ({ cleanUp }) => {
    const { https, request } = await setUp(
      cleanUp,
      {
        onStream(stream) {
          answer(stream)
          stream.session?.close()
        },
      },
      { maxConcurrent: 1 },
    )
    const answers = await Promise.all(Array.from({ length: 10 }, () => request()))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
    expect(https.sessions).toHaveLength(10)
  })

  test('a session that does not answer any more is replaced', async ({ cleanUp }) => {
    const { https, request } = await setUp(cleanUp, {
      onStream: (stream, _headers, count) => void (count > 1 && answer(stream)),
    })
    const controller = new AbortController()
    const hanging = request('/', { signal: controller.signal })
    await waitFor(() => https.sessions[0], { what: 'the request to arrive' })
    controller.abort()
    await expect(hanging).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await request()).toMatchObject({ status: 201 })
    expect(https.sessions).toHaveLength(2)
    await waitFor(() => https.sockets[0]?.destroyed, { what: 'the old connection to be closed' })
  })
})

describe('HTTP/1.1', () => {
  const protocol = 'http/1.1'

  test('is spoken with a server that has no other, on the connection by which that was found out', async ({
    cleanUp,
  }) => {
    let seen: unknown
    const { https, request } = await setUp(cleanUp, {
      protocol,
      async onRequest(incoming, response) {
        const { method, url, headers } = incoming
        seen = [method, url, headers.host, headers.ttl, await readAll(incoming)]
        response.writeHead(201, { location: '/m/1' }).end('ok')
      },
    })
    const { status, headers, body, complete } = await request('/send/a?b=c')
    expect(seen).toEqual(['POST', '/send/a?b=c', `127.0.0.1:${https.port}`, '60', 'hello'])
    expect([status, headers.location, body.toString(), complete]).toEqual([201, '/m/1', 'ok', true])
    await request()
    expect(https.sockets).toHaveLength(1)
  })

  test('never has more connections than the client wants', async ({ cleanUp }) => {
    const { https, request } = await setUp(
      cleanUp,
      { protocol, onRequest: (_incoming, response) => void response.writeHead(201).end() },
      { maxConcurrent: 4 },
    )
    await Promise.all(Array.from({ length: 20 }, () => request()))
    expect(https.sockets.length).toBeLessThanOrEqual(4)
  })

  test('goes on with new connections when the server has ended the old', async ({ cleanUp }) => {
    const { https, request } = await setUp(cleanUp, {
      protocol,
      onRequest: (_incoming, response) => void response.writeHead(201, { connection: 'close' }).end(),
    })
    await request()
    expect(await request()).toMatchObject({ status: 201 })
    expect(https.sockets).toHaveLength(2)
  })
})

describe.each(['h2', 'http/1.1'])('whatever the server does, over %s', (protocol) => {
  interface Reply {
    begin(status: number, headers?: Record<string, string>): void
    write(chunk: Buffer): void
    end(): void
  }

  /** The same server for both versions. */
  const serve = (script: (reply: Reply) => void): HttpsServerOptions => ({
    protocol,
    onStream: (stream) =>
      script({
        begin: (status, headers) => stream.respond({ ':status': status, ...headers }),
        write: (chunk) => void stream.write(chunk),
        end: () => void stream.end(),
      }),
    onRequest: (_incoming, response) =>
      script({
        begin(status, headers) {
          response.writeHead(status, headers)
          response.flushHeaders()
        },
        write: (chunk) => void response.write(chunk),
        end: () => void response.end(),
      }),
  })

  test('a redirect is an answer, and not followed', async ({ cleanUp }) => {
    const other = await setUp(cleanUp, {})
    const { request } = await setUp(
      cleanUp,
      serve(({ begin, end }) => {
        begin(307, { location: other.https.origin })
        end()
      }),
    )
    expect(await request()).toMatchObject({ status: 307, headers: { location: other.https.origin } })
    expect(other.https.sockets).toHaveLength(0)
  })

  test('of a body without end only so much is taken', async ({ cleanUp }) => {
    const chunk = Buffer.alloc(16_384, 'x')
    let isGone: () => boolean = () => false
    const { https, request } = await setUp(
      cleanUp,
      serve(({ begin, write }) => {
        begin(500)
        const timer = setInterval(() => (isGone() ? clearInterval(timer) : write(chunk)), 1)
        cleanUp(() => clearInterval(timer))
      }),
      { maxBodyBytes: 50_000 },
    )
    isGone = () => https.sockets.every(({ destroyed }) => destroyed)
    const { status, body, complete } = await request()
    expect([status, body.length, complete]).toEqual([500, 50_000, false])
  })

  test('an answer that trickles is what has come when the time is up', async ({ cleanUp }) => {
    const controller = new AbortController()
    const { request } = await setUp(
      cleanUp,
      serve(({ begin, write }) => {
        begin(201)
        write(Buffer.from('.'))
        setTimeout(() => controller.abort(), 300)
      }),
    )
    const { status, body, complete } = await request('/', { signal: controller.signal })
    expect([status, body.toString(), complete]).toEqual([201, '.', false])
  })

  test('an answer that does not come ends when the time is up; the request may have been processed', async ({
    cleanUp,
  }) => {
    const controller = new AbortController()
    const { request } = await setUp(
      cleanUp,
      serve(() => controller.abort(new Error('time is up'))),
    )
    await expect(request('/', { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
      sent: true,
      cause: { message: 'time is up' },
    })
  })

  test('a connection that is lost before the status is a failure, and not tried again', async ({ cleanUp }) => {
    let requests = 0
    const { https, request } = await setUp(
      cleanUp,
      serve(() => {
        requests += 1
        https.kill()
      }),
    )
    await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_LOST', sent: true })
    expect(requests).toBe(1)
  })

  test('a connection that is lost after the status is an answer', async ({ cleanUp }) => {
    const { https, request } = await setUp(
      cleanUp,
      serve(({ begin, write }) => {
        begin(201)
        write(Buffer.from('.'))
        setTimeout(() => https.kill(), 300)
      }),
    )
    expect(await request()).toMatchObject({ status: 201, complete: false })
  })

  test('the next request after a lost connection gets a new one', async ({ cleanUp }) => {
    let isKilling = true
    const { https, request } = await setUp(
      cleanUp,
      serve(({ begin, end }) => {
        if (isKilling) return https.kill()
        begin(201)
        end()
      }),
    )
    await request().catch(() => {})
    isKilling = false
    expect(await request()).toMatchObject({ status: 201 })
  })

  test('connections that nobody needs are closed', async ({ cleanUp }) => {
    const { https, request } = await setUp(
      cleanUp,
      serve(({ begin, end }) => {
        begin(201)
        end()
      }),
      { idleMs: 50 },
    )
    await request()
    await waitFor(() => https.sockets[0]?.destroyed, { what: 'the idle connection to be closed' })
    expect(await request()).toMatchObject({ status: 201 })
    expect(https.sockets).toHaveLength(2)
  })

  test('closing ends what is under way and leaves no connection', async ({ cleanUp }) => {
    const { client, https, request } = await setUp(
      cleanUp,
      serve(() => {}),
    )
    const requests = Promise.allSettled([request(), request()])
    await waitFor(() => https.sockets.length > 0, { what: 'a connection' })
    await client.close()
    const outcomes = await requests
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await waitFor(() => https.sockets.every(({ destroyed }) => destroyed), { what: 'the connections to be closed' })
    await expect(request()).rejects.toMatchObject({ code: 'CLIENT_CLOSED', sent: false })
  })
})

describe('connecting', () => {
  const listen = async (cleanUp: CleanUp, onSocket: (socket: Socket) => void, isTls = false) => {
    const sockets: Socket[] = []
    const take = (socket: Socket) => {
      sockets.push(socket.on('error', () => {}).resume())
      onSocket(socket)
    }
    const options = { key: privateKey, cert: certificate, ALPNProtocols: ['h2'] }
    const server = isTls ? createTlsServer(options, take) : createServer(take)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUp(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('Expected a port')
    return { sockets, origin: `https://127.0.0.1:${address.port}` }
  }

  test('to a port where nobody listens fails, and is tried again by the next request', async ({ cleanUp }) => {
    const { origin } = await (async () => {
      const https: HttpsServer = await createHttpsServer({})
      await https.close()
      return https
    })()
    const { request } = createClient(cleanUp, origin)
    const failure = { code: 'CONNECTION_FAILED', sent: false, cause: { code: 'ECONNREFUSED' } }
    await expect(request()).rejects.toMatchObject(failure)
    await expect(request()).rejects.toMatchObject(failure)
  })

  test('to a server that does not shake hands ends in time, for all who wait', async ({ cleanUp }) => {
    const { sockets, origin } = await listen(cleanUp, () => {})
    const { request } = createClient(cleanUp, origin, { connectTimeoutMs: 100 })
    const outcomes = await Promise.allSettled([request(), request()])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_FAILED', sent: false } })
    }
    expect(sockets).toHaveLength(1)
  })

  test('to a server that speaks no HTTP/2 after having said so ends in time', async ({ cleanUp }) => {
    const { sockets, origin } = await listen(cleanUp, () => {}, true)
    const { request } = createClient(cleanUp, origin, { connectTimeoutMs: 300 })
    await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', sent: false })
    await waitFor(() => sockets[0]?.destroyed, { what: 'the connection to be closed' })
  })

  test('to a server that hangs up in the handshake fails', async ({ cleanUp }) => {
    const { origin } = await listen(cleanUp, (socket) => socket.destroy())
    const { request } = createClient(cleanUp, origin)
    await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', sent: false })
  })

  test('is not waited for longer than a request has time', async ({ cleanUp }) => {
    const { origin } = await listen(cleanUp, () => {})
    const { request } = createClient(cleanUp, origin)
    const controller = new AbortController()
    const waiting = request('/', { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', sent: false })
  })

  test('is cut short by closing the client', async ({ cleanUp }) => {
    const { sockets, origin } = await listen(cleanUp, () => {})
    const { client, request } = createClient(cleanUp, origin)
    const waiting = expect(request()).rejects.toMatchObject({ sent: false })
    await waitFor(() => sockets.length > 0, { what: 'the connection' })
    await client.close()
    await waiting
    await waitFor(() => sockets[0]?.destroyed, { what: 'the connection to be closed' })
  })

  test('needs a certificate that is trusted', async ({ cleanUp }) => {
    const { https } = await setUp(cleanUp, { onStream: (stream) => answer(stream) })
    const client = createHttpOriginClient()
    cleanUp(() => client.close())
    const request = { url: new URL(https.origin), method: 'POST', headers: {}, signal: never } as const
    await expect(client.request(request)).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(https.sessions).toHaveLength(0)
  })

  test('goes where the lookup says, for every connection', async ({ cleanUp }) => {
    const asked: string[] = []
    const lookup: LookupFunction = (host, options, callback) => {
      asked.push(host)
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    }
    const protocol = 'http/1.1'
    const onRequest: HttpsServerOptions['onRequest'] = (_incoming, response) => void response.writeHead(201).end()
    const { https } = await setUp(cleanUp, { protocol, onRequest })
    const { request } = createClient(cleanUp, `https://push.test:${https.port}`, { lookup })
    await Promise.all([request(), request()])
    expect(asked).toEqual(['push.test', 'push.test'])
    expect(https.sockets).toHaveLength(2)
  })

  test('fails as the lookup does, without a connection', async ({ cleanUp }) => {
    const refusal = Object.assign(new Error('refused'), { code: 'REFUSED' })
    const { https } = await setUp(cleanUp, {})
    const { request } = createClient(cleanUp, `https://push.test:${https.port}`, {
      lookup: (_host, _options, callback) => callback(refusal, ''),
    })
    await expect(request()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', cause: refusal })
    expect(https.sockets).toHaveLength(0)
  })
})
