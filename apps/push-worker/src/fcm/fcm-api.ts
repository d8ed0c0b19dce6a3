import type { AccessTokens } from '@mono/access-tokens'
import type { HttpAnswer, HttpOriginClient } from '@mono/http-client'
import { withDeadline } from '@mono/waiting'
import type { FaultLog } from '../sending/fault-log.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { withWords } from '../sending/with-words.js'
import { classifyFcmAnswer, isBearerRefusal } from './classify-fcm-answer.js'

export interface FcmApiOptions {
  /** The address at which messages are sent: `<origin>/v1/projects/<project>/messages:send`. */
  url: URL
  client: Pick<HttpOriginClient, 'request'>
  tokens: Pick<AccessTokens, 'get' | 'renew'>
  faults: FaultLog
  /** For a request to FCM, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

export interface FcmApi {
  /**
   * Sends a request. People are told of an answer that says that our settings are wrong.
   * @throws AccessTokenError, HttpRequestError, or the signal's reason
   */
  ask(body: Buffer, signal: AbortSignal): Promise<PushVerdict>
}

/** People have to know of results with these codes. */
const adviceByCode: Record<string, string> = {
  FCM_REJECTED: 'FCM refuses the service account; check its project, its role, FCM_ORIGIN, and whether the API is on',
  THIRD_PARTY_AUTH: 'FCM cannot reach devices of Apple, or browsers; check their keys in the Firebase console',
}

/** The HTTP v1 API of Firebase Cloud Messaging. */
export function createFcmApi(options: FcmApiOptions): FcmApi {
  const { url, client, tokens, faults, timeoutMs = 10_000, now = Date.now } = options

  async function post(body: Buffer, token: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    return await withDeadline({ ms: timeoutMs, signal }, (within) =>
      client.request({ url, method: 'POST', headers, body, signal: within }),
    )
  }

  /** A token that was revoked before its end is renewed once. */
  async function postWithToken(body: Buffer, signal: AbortSignal): Promise<HttpAnswer> {
    const token = await tokens.get(signal)
    const answer = await post(body, token, signal)
    return isBearerRefusal(answer) ? await post(body, await tokens.renew(token, signal), signal) : answer
  }

  function noteFault({ result }: PushVerdict, { status }: HttpAnswer): void {
    if (result.kind === 'sent') {
      faults.end('FCM_REJECTED')
      return
    }
    const { code, reason } = result
    const advice = adviceByCode[code]
    if (advice) faults.report(code, { origin: url.origin, status, reason }, advice)
  }

  return {
    async ask(body, signal) {
      const answer = await postWithToken(body, signal)
      const verdict = withWords(classifyFcmAnswer(answer, now()), answer)
      noteFault(verdict, answer)
      return verdict
    },
  }
}
