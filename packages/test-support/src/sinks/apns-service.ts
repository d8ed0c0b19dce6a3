import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import { type ApnsAnswer, type ApnsOutcome, toApnsOutcome } from './apns-answer.js'
import { type ApnsConnection, type ApnsGoaway, createApnsConnection, type StreamFate } from './apns-connection.js'
import type { ApnsKey } from './apns-key.js'
import { type ApnsStream, createApnsListener } from './apns-listener.js'
import { ApnsRefusal } from './apns-refusal.js'
import { type ApnsContent, checkApnsRequest, maxApnsPayloadBytes, parseApnsPath } from './check-apns-request.js'
import { certificateFor } from './self-signed-certificate.js'
import { createProviderTokenVerifier, type ProviderToken } from './verify-provider-token.js'

export interface ApnsServiceOptions {
  /** The keys that it knows. */
  keys: readonly ApnsKey[]
  /** The app that it knows. */
  topic: string
  /** Default `production`. */
  environment?: 'production' | 'sandbox'
  /** Streams at a time on a connection that has shown a valid token. Default 1000. */
  maxConcurrentStreams?: number
  /** Its clock is so much ahead of ours, in milliseconds; negative: behind. Default 0. */
  clockAheadMs?: number
  /** True: a connection may have new tokens as often as it likes. Default false. */
  manyTokens?: boolean
  /** Default: one that is free. */
  port?: number
  /** It listens there. Default 127.0.0.1. */
  address?: string
}

/** A notification that was in order. */
export interface ApnsNotification extends ApnsContent {
  /** The device's token, as it was in the path. */
  token: string
  apnsId: string
  providerToken: ProviderToken
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** Counts from 1 the connections that had a request. */
  connection: number
  /** Milliseconds since 1970. */
  at: number
}

/** A request, in order or not. */
export interface ApnsAttempt {
  path: string
  /** As the client gave it. */
  apnsId: string | undefined
  /** The status of the answer, or what was done instead of answering. */
  answer: number | 'hang' | 'drop' | 'rst' | 'goaway'
  /** Apple's word for a refusal. */
  reason: string | undefined
  /** Says what was expected and found, if the service itself refused it. */
  details: string | undefined
  /** Counts from 1 the connections that had a request. */
  connection: number
  /** Streams that were open on the connection when this one came, this one included. */
  inFlight: number
  /** Milliseconds since 1970. */
  at: number
}

export interface ApnsService {
  port: number
  /** PEM: the certificate to trust. All services of a process have the same. */
  ca: string
  /** TCP connections that are open. */
  connections: number
  /** Sessions that were opened since the start. */
  opened: number
  /** PING frames that came. */
  pings: number
  /** Every notification that was taken, in order, also if its answer was lost. Grows; do not change it. */
  received: readonly ApnsNotification[]
  /** Every request, in order, counted when it was decided. Grows; do not change it. */
  attempts: readonly ApnsAttempt[]
  /** The token of a new device that has the app. */
  register(): string
  /**
   * Sets what is answered: to one device, or to `'all'`; the first of these that is set counts. A single answer holds
   * until another is set, a list is used up, and then notifications get what they deserve.
   */
  answer(target: string, answers: ApnsAnswer | readonly ApnsAnswer[], options?: AnswerOptions): void
  /** Says GOAWAY once, when so many streams are in flight; until then they are not answered. */
  goaway(goaway: ApnsGoaway): void
  /** Sends new settings on all connections that have shown a valid token, and on those to come. */
  resize(maxConcurrentStreams: number): void
  /** Closes every connection and refuses new ones. Devices, scripts and what was received stay. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Apple's push service: HTTP/2 with its rules for connections and provider tokens, the checks of a notification, and
 * what it can be told to answer instead.
 */
export async function createApnsService(options: ApnsServiceOptions): Promise<ApnsService> {
  const { keys, topic, environment = 'production', clockAheadMs = 0, manyTokens = false } = options
  const { port = 0, address = '127.0.0.1' } = options
  const now = () => Date.now() + clockAheadMs
  const certificate = certificateFor(['localhost', '127.0.0.1'])
  const verifyToken = createProviderTokenVerifier({ keys, environment, manyTokens, now })
  const script = createAnswerScript<ApnsAnswer>()
  const devices = new Set<string>()
  const bySession = new Map<ServerHttp2Session, ApnsConnection>()
  const received: ApnsNotification[] = []
  const attempts: ApnsAttempt[] = []
  let connectionCount = 0
  let maxConcurrentStreams = options.maxConcurrentStreams ?? 1000
  let goaway: ApnsGoaway | undefined

  function connectionOf(session: ServerHttp2Session): ApnsConnection {
    const known = bySession.get(session)
    if (known) return known
    connectionCount += 1
    const connection = createApnsConnection(session, connectionCount)
    bySession.set(session, connection)
    session.once('close', () => bySession.delete(session))
    return connection
  }

  function decideFate(stream: ServerHttp2Stream, connection: ApnsConnection): Promise<StreamFate> {
    if (!goaway) return Promise.resolve('serve')
    return connection.hold(stream, goaway, () => {
      goaway = undefined
    })
  }

  /** @throws ApnsRefusal */
  function take({ headers, rawHeaders }: ApnsStream, body: Buffer, connection: ApnsConnection): string {
    const token = parseApnsPath(headers)
    const providerToken = verifyToken(headers.authorization, connection.history)
    connection.prove(maxConcurrentStreams)
    const content = checkApnsRequest({ headers, rawHeaders, body }, now())
    if (content.topic !== topic) throw new ApnsRefusal(400, 'TopicDisallowed', `expected ${topic}`)
    if (!devices.has(token)) throw new ApnsRefusal(400, 'BadDeviceToken', `expected a token of ${environment}`)
    const apnsId = headers['apns-id']?.toString() ?? randomUUID()
    received.push({ token, apnsId, providerToken, ...content, headers, connection: connection.number, at: Date.now() })
    return apnsId
  }

  function takeOrRefuse(request: ApnsStream, body: Buffer, connection: ApnsConnection): ApnsOutcome & Details {
    try {
      const apnsId = take(request, body, connection)
      const unique = environment === 'sandbox' ? { 'apns-unique-id': randomUUID() } : undefined
      return { ...toApnsOutcome(200), headers: { 'apns-id': apnsId, ...unique } }
    } catch (error) {
      if (!(error instanceof ApnsRefusal)) throw error
      return { ...toApnsOutcome({ status: error.status, reason: error.reason }), details: error.message }
    }
  }

  async function serve(request: ApnsStream, signal: AbortSignal): Promise<void> {
    const { stream, session, headers } = request
    const connection = connectionOf(session)
    connection.add(stream)
    const { inFlight } = connection
    const body = await readBody(stream)
    const path = headers[':path'] ?? ''
    const record = (answer: ApnsAttempt['answer'], { reason, details }: Partial<ApnsOutcome & Details> = {}) => {
      const apnsId = headers['apns-id']?.toString()
      attempts.push({ path, apnsId, answer, reason, details, connection: connection.number, inFlight, at: Date.now() })
    }

    const fate = await decideFate(stream, connection)
    if (fate === 'ignore') return record('goaway')
    const answer = fate === 'lose' ? 'drop' : (script.take([path.replace('/3/device/', ''), 'all']) ?? 200)
    if (answer === 'hang') return record(answer)
    if (answer === 'drop') {
      takeOrRefuse(request, body, connection)
      record(answer)
      if (fate === 'lose') await sleep(afterGoawayMs, undefined, { signal })
      return listener.drop(session)
    }
    if (typeof answer === 'object' && 'rst' in answer) {
      record('rst')
      return stream.close(answer.rst)
    }
    const scripted = toApnsOutcome(answer)
    const taken = scripted.status === 200 ? takeOrRefuse(request, body, connection) : scripted
    record(taken.status, taken)
    if (scripted.delayMs > 0) await sleep(scripted.delayMs, undefined, { signal })
    if (stream.destroyed) return
    stream.respond({ ':status': taken.status, 'apns-id': headers['apns-id'] ?? randomUUID(), ...taken.headers })
    stream.end(taken.body)
  }

  const listener = createApnsListener({ address, certificate, serve })
  const boundPort = await listener.listen(port)
  return {
    port: boundPort,
    ca: certificate.cert,
    get connections() {
      return listener.connections
    },
    get opened() {
      return listener.opened
    },
    get pings() {
      return listener.pings
    },
    received,
    attempts,
    register() {
      const token = randomBytes(32).toString('hex')
      devices.add(token)
      return token
    },
    answer(target, answers, answerOptions) {
      script.set(target, answers, answerOptions)
    },
    goaway(planned) {
      goaway = planned
    },
    resize(streams) {
      maxConcurrentStreams = streams
      for (const connection of bySession.values()) connection.resize(streams)
    },
    stop: () => listener.close(),
    async start() {
      await listener.listen(boundPort)
    },
    close: () => listener.close(),
  }
}

interface Details {
  details?: string
}

/** The GOAWAY has arrived by then. */
const afterGoawayMs = 50

/** The body is cut off one byte above what is allowed. */
async function readBody(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = []
  let room = maxApnsPayloadBytes + 1
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, room))
    room -= Math.min(room, chunk.length)
  }
  return Buffer.concat(chunks)
}
