import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import {
  checkFcmRequest,
  type FcmContent,
  type FcmDevice,
  type FcmRequest,
  findFcmAddress,
  isValidateOnly,
} from './check-fcm-request.js'
import { deliversMessage, type FcmAnswer, mergeOutcome, toFcmOutcome } from './fcm-answer.js'
import { FcmRefusal } from './fcm-error.js'
import { createFcmTokenEndpoint, type FcmTokenEndpoint } from './fcm-token-endpoint.js'
import { isSilence, type PushSilence, toPushOutcome } from './push-answer.js'
import type { PushExchange } from './push-exchange.js'
import { createPushListener } from './push-listener.js'
import { certificateFor } from './self-signed-certificate.js'

export interface FcmServiceOptions {
  /** Names for the certificate beside `localhost` and `127.0.0.1`. */
  hosts?: readonly string[]
  /** Default both. */
  protocols?: readonly ('h2' | 'http/1.1')[]
  /** Default `test-project`. */
  projectId?: string
  /** Audiences of assertions that are accepted beside the token endpoint's own. */
  audiences?: readonly string[]
  /** Default: one that is free. */
  port?: number
}

/** A message that was in order, and was delivered. */
export interface FcmMessage {
  device: FcmDevice
  /** `message` of the request, as it came. */
  message: FcmContent
  /** The whole of the request. */
  json: Record<string, unknown>
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** The name that the answer gave it. */
  name: string
  /** Milliseconds since 1970. */
  at: number
}

/** A request, in order or not. */
export interface FcmAttempt {
  device: FcmDevice | undefined
  path: string
  protocol: 'h2' | 'http/1.1'
  /** The `Authorization` header. */
  authorization: string | undefined
  /** The status of the answer, or what was done instead of answering. */
  answer: number | PushSilence
  /** The reason of a refusal. */
  reason: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

export interface FcmService {
  port: number
  /** `https://localhost:<port>` */
  origin: string
  /** PEM: the certificate to trust. */
  ca: string
  /** TCP connections that are open. */
  connections: number
  /** Every message that was delivered, in order, also if its answer did not arrive. Grows; do not change it. */
  received: readonly FcmMessage[]
  /** Every request to send, in order, counted when it was decided. Grows; do not change it. */
  attempts: readonly FcmAttempt[]
  /** The same of messages that were only to be checked (`validate_only`), which are not among `attempts`. */
  probes: readonly FcmAttempt[]
  /** It gives out access tokens, at the same port. */
  tokenEndpoint: Omit<FcmTokenEndpoint, 'serve' | 'isValid'>
  /** A new device. Default: with a token. */
  register(options?: { addressKind?: FcmDevice['addressKind'] }): FcmDevice
  /** The app was removed from it. */
  unregister(device: FcmDevice): void
  /** Sets what is answered, as that of a push service does; `all` does not mean probes. */
  answer(target: FcmDevice | 'all' | 'probes', answers: FcmAnswer | readonly FcmAnswer[], options?: AnswerOptions): void
  /** Closes every connection and refuses new ones. Everything else stays. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

const maxBodyBytes = 64 * 1024
const tokenPath = '/token'

/**
 * Firebase Cloud Messaging and the token endpoint of Google, which check what they get as the real ones do, and can be
 * told to misbehave. Both are at one port, whatever the host name.
 */
export async function createFcmService(options: FcmServiceOptions = {}): Promise<FcmService> {
  const { hosts = [], protocols = ['h2', 'http/1.1'], projectId = 'test-project', audiences = [], port = 0 } = options
  const certificate = certificateFor(['localhost', '127.0.0.1', ...hosts])
  const script = createAnswerScript<FcmAnswer>()
  const devices = new Map<string, FcmDevice>()
  const received: FcmMessage[] = []
  const attempts: FcmAttempt[] = []
  const probes: FcmAttempt[] = []

  async function serve(exchange: PushExchange, signal: AbortSignal): Promise<void> {
    const body = await exchange.read(maxBodyBytes)
    if (exchange.path === tokenPath) await tokenEndpoint.serve(exchange, body, signal)
    else await serveMessage(exchange, body, signal)
  }

  async function serveMessage(exchange: PushExchange, body: Buffer, signal: AbortSignal): Promise<void> {
    const { method, path, protocol, headers } = exchange
    const { authorization } = headers
    const device = findFcmAddress(body)
    const isProbe = isValidateOnly(body)
    const keys = isProbe ? ['probes'] : ['all']
    const answer = script.take(device && !isProbe ? [keyOf(device), ...keys] : keys) ?? 200
    const record = (outcome: Pick<FcmAttempt, 'answer' | 'reason'>) =>
      (isProbe ? probes : attempts).push({ device, path, protocol, authorization, ...outcome, at: Date.now() })
    if (isSilence(answer)) {
      record({ answer, reason: undefined })
      return exchange.fallSilent(answer, signal)
    }
    let outcome = toFcmOutcome(answer)
    let reason: string | undefined
    try {
      if (deliversMessage(answer)) {
        const name = take({ method, path, authorization, body }, headers)
        const success = { status: 200, headers: jsonHeaders, body: JSON.stringify({ name }) }
        if (outcome.status < 300) outcome = mergeOutcome(success, outcome)
      }
    } catch (error) {
      if (!(error instanceof FcmRefusal)) throw error
      outcome = toPushOutcome(error.answer)
      reason = error.message
    }
    record({ answer: outcome.status, reason })
    await exchange.answer(outcome, signal)
  }

  /** Returns the message's name. */
  function take(request: FcmRequest, headers: IncomingHttpHeaders): string {
    const { device, message, json, validateOnly } = checkFcmRequest(request, {
      projectId,
      isAccessToken: tokenEndpoint.isValid,
      find: (sought) => devices.get(keyOf(sought)),
    })
    if (validateOnly) return `projects/${projectId}/messages/fake_message_id`
    const name = `projects/${projectId}/messages/${received.length + 1}`
    received.push({ device, message, json, headers, name, at: Date.now() })
    return name
  }

  const listener = createPushListener({ address: '127.0.0.1', certificate, protocols, serve })
  const boundPort = await listener.listen(port)
  const origin = `https://localhost:${boundPort}`
  const tokenEndpoint = createFcmTokenEndpoint({ projectId, tokenUri: `${origin}${tokenPath}`, audiences })
  return {
    port: boundPort,
    origin,
    ca: certificate.cert,
    get connections() {
      return listener.connections
    },
    received,
    attempts,
    probes,
    tokenEndpoint,
    register({ addressKind = 'token' } = {}) {
      const id = randomBytes(16).toString('base64url')
      const address = addressKind === 'fid' ? id.slice(0, 22) : `${id}:APA91b${randomBytes(64).toString('base64url')}`
      const device = { address, addressKind }
      devices.set(keyOf(device), device)
      return device
    },
    unregister(device) {
      devices.delete(keyOf(device))
    },
    answer(target, answers, answerOptions) {
      script.set(typeof target === 'string' ? target : keyOf(target), answers, answerOptions)
    },
    stop: () => listener.close(),
    async start() {
      await listener.listen(boundPort)
    },
    close: () => listener.close(),
  }
}

const jsonHeaders = { 'content-type': 'application/json; charset=UTF-8' }

const keyOf = ({ addressKind, address }: FcmDevice) => `${addressKind} ${address}`
