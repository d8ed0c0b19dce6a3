import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import { createFcmAccessTokens } from './fcm-access-tokens.js'
import { mergeOutcome, toFcmOutcome } from './fcm-answer.js'
import { isSilence, type PushAnswer, type PushSilence } from './push-answer.js'
import type { PushExchange } from './push-exchange.js'

/** The key file of a service account. */
export interface FcmServiceAccount {
  type: 'service_account'
  project_id: string
  private_key_id: string
  private_key: string
  client_email: string
  token_uri: string
}

/** A request for an access token, in order or not. */
export interface FcmTokenAttempt {
  /** The form. */
  body: string
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** The status of the answer, or what was done instead of answering. */
  answer: number | PushSilence
  /** The reason of a refusal. */
  reason: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

export interface FcmTokenEndpoint {
  /** For the one who sends. */
  serviceAccount: FcmServiceAccount
  /** Every request, in order. Grows; do not change it. */
  attempts: readonly FcmTokenAttempt[]
  serve(exchange: PushExchange, body: Buffer, signal: AbortSignal): Promise<void>
  /** Tells whether an access token was given out, and has neither ended nor been revoked. */
  isValid(token: string): boolean
  /** From now on none of the access tokens is accepted. */
  revokeAll(): void
  /** Sets what is answered. A status below 300 without a body is for requests that are in order. */
  answer(answers: PushAnswer | readonly PushAnswer[], options?: AnswerOptions): void
  /** Sets how long an access token lasts from now on. Default 3599. */
  setLifetime(seconds: number): void
  /** Sets how far the endpoint's clock is ahead of ours, in milliseconds. Default 0. */
  shiftClock(ms: number): void
}

export interface FcmTokenEndpointOptions {
  projectId: string
  /** `token_uri` of the service account, and the audience of its assertions. */
  tokenUri: string
  /** Other audiences that are accepted. */
  audiences: readonly string[]
}

const scriptKey = 'all'
const privateKeyId = 'test-key'

/** Google's token endpoint, with a service account of its own making. */
export function createFcmTokenEndpoint({ projectId, tokenUri, audiences }: FcmTokenEndpointOptions): FcmTokenEndpoint {
  const { privateKey, publicKey } = keyPair()
  const clientEmail = `push@${projectId}.iam.gserviceaccount.com`
  const script = createAnswerScript<PushAnswer>()
  const attempts: FcmTokenAttempt[] = []
  let lifetimeSeconds = 3599
  let clockShiftMs = 0
  const tokens = createFcmAccessTokens({
    publicKey,
    privateKeyId,
    clientEmail,
    audiences: [tokenUri, ...audiences],
    lifetimeSeconds: () => lifetimeSeconds,
    now: () => Date.now() + clockShiftMs,
  })
  return {
    serviceAccount: {
      type: 'service_account',
      project_id: projectId,
      private_key_id: privateKeyId,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: clientEmail,
      token_uri: tokenUri,
    },
    attempts,
    async serve(exchange, body, signal) {
      const answer = script.take([scriptKey]) ?? 200
      const form = body.toString()
      const record = (outcome: Pick<FcmTokenAttempt, 'answer' | 'reason'>) =>
        attempts.push({ body: form, headers: exchange.headers, ...outcome, at: Date.now() })
      if (isSilence(answer)) {
        record({ answer, reason: undefined })
        return exchange.fallSilent(answer, signal)
      }
      const scripted = toFcmOutcome(answer)
      const isFixed = scripted.status >= 300 || scripted.body !== ''
      const granted = isFixed ? undefined : tokens.grant(form)
      const outcome = granted ? mergeOutcome(granted.answer, scripted) : scripted
      record({ answer: outcome.status, reason: granted?.reason })
      await exchange.answer(outcome, signal)
    },
    isValid: tokens.isValid,
    revokeAll: tokens.revokeAll,
    answer: (answers, options) => script.set(scriptKey, answers, options),
    setLifetime(seconds) {
      lifetimeSeconds = seconds
    },
    shiftClock(ms) {
      clockShiftMs = ms
    },
  }
}

let pair: KeyPairKeyObjectResult | undefined

/** One for the whole process, because finding primes takes long. */
function keyPair(): KeyPairKeyObjectResult {
  pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return pair
}
