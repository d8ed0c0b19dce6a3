import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http'
import { constants, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { PushOutcome, PushSilence } from './push-answer.js'

export type AnyRequest = IncomingMessage | Http2ServerRequest
export type AnyResponse = ServerResponse | Http2ServerResponse

const hugeBytes = 10 * 1024 * 1024
const trickleMs = 1_000
/** So that a GOAWAY has arrived before what comes after it. */
const afterGoawayMs = 50

/** One request and its answer, over either protocol. */
export interface PushExchange {
  protocol: 'h2' | 'http/1.1'
  method: string
  path: string
  /** Host and port, as the client addressed them. */
  authority: string
  headers: IncomingHttpHeaders
  /** The body, cut off at `limit` bytes. Rejects if the client goes away. */
  read(limit: number): Promise<Buffer>
  /** Rejects if `signal` is aborted. */
  fallSilent(kind: PushSilence, signal: AbortSignal): Promise<void>
  /** Rejects if `signal` is aborted. */
  answer(outcome: PushOutcome, signal: AbortSignal): Promise<void>
  /** For a fault of the sink itself. */
  fail(error: unknown): void
}

/** `socket` is the TCP connection below TLS: only there can a reset be sent. */
export function createPushExchange(request: AnyRequest, response: AnyResponse, socket: Socket): PushExchange {
  const session = response instanceof ServerResponse ? undefined : response.stream.session
  const { headers } = request
  return {
    protocol: session ? 'h2' : 'http/1.1',
    method: request.method ?? '',
    path: request.url ?? '',
    authority: String(headers[':authority'] ?? headers.host ?? '').toLowerCase(),
    headers,
    read: (limit) => readBody(request, limit),
    async fallSilent(kind, signal) {
      request.resume()
      if (kind === 'reset') socket.resetAndDestroy()
      if (kind === 'drop') socket.destroy()
      if (kind === 'goaway-drop') {
        sendGoaway(session)
        await sleep(afterGoawayMs, undefined, { signal })
        socket.destroy()
      }
    },
    async answer({ status, headers: extra, body, delayMs, trouble }, signal) {
      if (delayMs > 0) await sleep(delayMs, undefined, { signal })
      if (trouble === 'goaway') await announceEnd(session, response, signal)
      response.statusCode = status
      for (const [name, value] of Object.entries(extra)) response.setHeader(name, value)
      if (trouble === 'reset-after-head') return writePart(response, 'x', () => socket.resetAndDestroy())
      if (trouble === 'trickle') return trickle(response)
      response.end(trouble === 'huge' ? Buffer.alloc(hugeBytes, 'x') : body)
      if (trouble === 'goaway') session?.close()
    },
    fail(error) {
      if (!response.headersSent) response.statusCode = 500
      response.end(`The push service of the tests is broken: ${inspect(error)}`)
    },
  }
}

async function readBody(request: AnyRequest, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < limit) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks).subarray(0, limit)
}

async function announceEnd(
  session: Http2Session | undefined,
  response: AnyResponse,
  signal: AbortSignal,
): Promise<void> {
  if (!session) {
    response.setHeader('connection', 'close')
    return
  }
  sendGoaway(session)
  await sleep(afterGoawayMs, undefined, { signal })
}

/** Names the highest stream so far as the last one that is served. */
function sendGoaway(session: Http2Session | undefined): void {
  if (session && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR)
}

function writePart(response: AnyResponse, part: string, written: () => void): void {
  if (response instanceof ServerResponse) response.write(part, written)
  else response.write(part, 'utf8', written)
}

function trickle(response: AnyResponse): void {
  const drip = () => writePart(response, 'x', () => undefined)
  drip()
  const timer = setInterval(drip, trickleMs)
  response.once('close', () => clearInterval(timer))
}
