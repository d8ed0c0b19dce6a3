import type { IncomingHttpHeaders } from 'node:http'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import { checkPushRequest, maxPushBodyBytes, type PushContent } from './check-push-request.js'
import { isSilence, type PushAnswer, type PushSilence, type PushTrouble, toPushOutcome } from './push-answer.js'
import { createPushSubscriptions, type PushDevice, type PushReceiver } from './push-device.js'
import type { PushExchange } from './push-exchange.js'
import { createPushListener } from './push-listener.js'
import { PushRefusal } from './push-refusal.js'
import { certificateFor } from './self-signed-certificate.js'
import { createVapidVerifier } from './verify-vapid.js'

export interface PushServiceOptions {
  /** Names, `*.` allowed, for the certificate beside `localhost`, `127.0.0.1` and `*.push.test`. */
  hosts?: readonly string[]
  /** Default both. A client that speaks neither is refused. */
  protocols?: readonly ('h2' | 'http/1.1')[]
  /** Base64url. The application server key that subscriptions are restricted to. Default: any. */
  vapidPublicKey?: string
  /** Default: one that is free. */
  port?: number
  /** Where it listens. Default 127.0.0.1. */
  address?: string
}

/** A message that was in order. */
export interface PushMessage {
  device: PushDevice
  /** Of the endpoint. */
  path: string
  /** Decrypted. Empty for a message without body. */
  payload: string
  /** Seconds. */
  ttl: number
  urgency: string
  topic: string | undefined
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** Where the answer said the message is. */
  location: string
  /** Milliseconds since 1970. */
  at: number
}

/** A request, in order or not. */
export interface PushAttempt {
  /** Of the endpoint, if there is such a subscription. */
  device: PushDevice | undefined
  path: string
  /** Host and port, as the client addressed them. */
  authority: string
  protocol: 'h2' | 'http/1.1'
  /** The status of the answer, or what was done instead of answering. */
  answer: number | PushSilence
  trouble: PushTrouble | undefined
  /** Why the message was refused. */
  reason: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

export interface PushService {
  port: number
  /** PEM: the certificate to trust. All services of a process with the same hosts have the same. */
  ca: string
  /** TCP connections that are open. */
  connections: number
  /** Every message that was taken, in order, also if its answer did not arrive. Grows; do not change it. */
  received: readonly PushMessage[]
  /** Every request, in order, counted when it was decided. Grows; do not change it. */
  attempts: readonly PushAttempt[]
  receivedBy(device: PushDevice): readonly PushMessage[]
  /**
   * A new device with keys of its own. `host`: the name in the endpoint, default `localhost`. `vapidPublicKey`:
   * default that of the service.
   */
  subscribe(options?: { host?: string; vapidPublicKey?: string }): PushDevice
  /**
   * Sets what is answered: to one device, to all of a host (`{ host }`), to `'all'`; the first of these that is set
   * counts. A single answer holds until another is set, a list is used up, and then messages get what they deserve.
   */
  answer(
    target: PushDevice | { host: string } | 'all',
    answers: PushAnswer | readonly PushAnswer[],
    options?: AnswerOptions,
  ): void
  /** Closes every connection and refuses new ones. Subscriptions, scripts and what was received stay. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * A push service that speaks Web Push over HTTPS (RFC 8030), checks what it gets as a real one does
 * (VAPID, RFC 8292), decrypts it as the browser does (RFC 8291), and can be told to misbehave.
 */
export async function createPushService(options: PushServiceOptions = {}): Promise<PushService> {
  const { hosts = [], protocols = ['h2', 'http/1.1'], vapidPublicKey, port = 0, address = '127.0.0.1' } = options
  const certificate = certificateFor(['localhost', '127.0.0.1', '*.push.test', ...hosts])
  const subscriptions = createPushSubscriptions()
  const script = createAnswerScript<PushAnswer>()
  const verifyVapid = createVapidVerifier()
  const received: PushMessage[] = []
  const receivedByPath = new Map<string, PushMessage[]>()
  const attempts: PushAttempt[] = []

  async function serve(exchange: PushExchange, signal: AbortSignal): Promise<void> {
    const receiver = subscriptions.find(exchange.path)
    const answer = script.take(keysOf(exchange, receiver)) ?? 201
    const record = (outcome: Pick<PushAttempt, 'answer' | 'reason'>) => {
      const { path, authority, protocol } = exchange
      const trouble = typeof answer === 'string' ? answer : undefined
      attempts.push({ device: receiver?.device, path, authority, protocol, trouble, ...outcome, at: Date.now() })
    }
    if (isSilence(answer)) {
      record({ answer, reason: undefined })
      return exchange.fallSilent(answer, signal)
    }
    const body = await exchange.read(maxPushBodyBytes + 1)
    const outcome = toPushOutcome(answer)
    if (outcome.status < 300) {
      try {
        const content = checkPushRequest({ ...exchange, body }, receiver, verifyVapid)
        const location = take(content, exchange, receiver as PushReceiver)
        outcome.headers = { location, ttl: String(content.ttl), ...outcome.headers }
      } catch (error) {
        if (!(error instanceof PushRefusal)) throw error
        record({ answer: error.status, reason: error.message })
        return exchange.answer({ ...toPushOutcome(error.status), body: error.message }, signal)
      }
    }
    record({ answer: outcome.status, reason: undefined })
    await exchange.answer(outcome, signal)
  }

  function take(content: PushContent, exchange: PushExchange, receiver: PushReceiver): string {
    const { authority, path, headers } = exchange
    const location = `https://${authority}/message/${received.length + 1}`
    const message = { device: receiver.device, path, headers, ...content, location, at: Date.now() }
    received.push(message)
    const ofDevice = receivedByPath.get(path)
    if (ofDevice) ofDevice.push(message)
    else receivedByPath.set(path, [message])
    return location
  }

  const listener = createPushListener({ address, certificate, protocols, serve })
  const boundPort = await listener.listen(port)
  return {
    port: boundPort,
    ca: certificate.cert,
    get connections() {
      return listener.connections
    },
    received,
    attempts,
    receivedBy: ({ endpoint }) => receivedByPath.get(new URL(endpoint).pathname) ?? [],
    subscribe({ host = 'localhost', vapidPublicKey: ownKey = vapidPublicKey } = {}) {
      return subscriptions.add({ origin: `https://${host}:${boundPort}`, vapidPublicKey: ownKey })
    },
    answer(target, answers, answerOptions) {
      script.set(keyOfTarget(target), answers, answerOptions)
    },
    stop: () => listener.close(),
    async start() {
      await listener.listen(boundPort)
    },
    close: () => listener.close(),
  }
}

function keyOfTarget(target: PushDevice | { host: string } | 'all'): string {
  if (target === 'all') return 'all'
  if ('endpoint' in target) return `path ${new URL(target.endpoint).pathname}`
  return `host ${target.host.toLowerCase()}`
}

function keysOf({ path, authority }: PushExchange, receiver: PushReceiver | undefined): string[] {
  const host = `host ${authority.replace(/:\d+$/, '')}`
  return receiver ? [`path ${path}`, host, 'all'] : [host, 'all']
}
