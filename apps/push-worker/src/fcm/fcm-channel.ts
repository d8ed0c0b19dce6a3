import { AccessTokenError, type AccessTokens } from '@mono/access-tokens'
import type { ServeResult } from '@mono/delivery-ledger'
import type { HttpAnswer, HttpOriginClient } from '@mono/http-client'
import type { Logger } from '@mono/message-queue'
import { withDeadline } from '@mono/waiting'
import type { Device } from '../device.js'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { DeviceSender } from '../sending/device-sender.js'
import type { FaultLog } from '../sending/fault-log.js'
import { interrupted } from '../sending/interrupted.js'
import type { PushChannel } from '../sending/push-channel.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { withWords } from '../sending/with-words.js'
import { classifyFcmAnswer, invalidToken, isBearerRefusal } from './classify-fcm-answer.js'
import { isFcmAddress } from './is-fcm-address.js'
import { countPayloadBytes, type FcmContent, maxPayloadBytes, toFcmContent } from './to-fcm-content.js'

export interface FcmChannelOptions {
  /** Where messages are sent: `<origin>/v1/projects/<project>/messages:send`. */
  url: URL
  sender: DeviceSender
  client: Pick<HttpOriginClient, 'request'>
  tokens: Pick<AccessTokens, 'get' | 'renew'>
  faults: FaultLog
  /** Called with how many keys of a message's `data` are left out because FCM reserves them. */
  onReservedKeys(count: number): void
  logger: Logger
  /** For a request to FCM, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** People have to know of results with these codes. */
const adviceByCode: Record<string, string> = {
  FCM_REJECTED: 'FCM refuses the service account; check its project, its role, FCM_ORIGIN, and whether the API is on',
  THIRD_PARTY_AUTH: 'FCM cannot reach devices of Apple, or browsers; check their keys in the Firebase console',
}

/** Sends to apps through the HTTP v1 API of Firebase Cloud Messaging. */
export function createFcmChannel(options: FcmChannelOptions): PushChannel {
  const { url, sender, client, tokens, faults, logger, timeoutMs = 10_000, now = Date.now } = options

  async function post(body: Buffer, token: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    return await withDeadline({ ms: timeoutMs, signal }, (within) =>
      client.request({ url, method: 'POST', headers, body, signal: within }),
    )
  }

  /** A token that was revoked before its end is renewed once. */
  async function ask(body: Buffer, signal: AbortSignal): Promise<HttpAnswer> {
    const token = await tokens.get(signal)
    const answer = await post(body, token, signal)
    return isBearerRefusal(answer) ? await post(body, await tokens.renew(token, signal), signal) : answer
  }

  async function attempt(device: Device, content: FcmContent, signal: AbortSignal): Promise<PushVerdict> {
    try {
      const answer = await ask(toBody(device, content), signal)
      const verdict = withWords(classifyFcmAnswer(answer, now()), answer)
      noteFault(verdict, answer)
      return verdict
    } catch (error) {
      if (signal.aborted) return interrupted
      return error instanceof AccessTokenError ? toWaiting(error) : classifyRequestError(error)
    }
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

  function countReservedKeys(messageId: string, count: number): void {
    if (count === 0) return
    options.onReservedKeys(count)
    logger.debug({ messageId, count }, 'Keys of data that FCM reserves are left out')
  }

  return {
    originOf: () => url.origin,
    prepare(message) {
      const { content, reservedKeys } = toFcmContent(message)
      countReservedKeys(message.messageId, reservedKeys)
      const isTooLarge = countPayloadBytes(content) > maxPayloadBytes
      return {
        async send(device, context) {
          if (isTooLarge) return tooLarge
          if (isFcmAddress(device.address)) {
            const endpoint = { origin: url.origin, href: `${device.addressKind} ${device.address}` }
            return await sender.send(
              { device, endpoint, attempt: () => attempt(device, content, context.signal) },
              context,
            )
          }
          await sender.note(device, invalidAddress, context.logger)
          return invalidAddress.result
        },
      }
    },
  }
}

const tooLarge: ServeResult = {
  kind: 'failed',
  code: 'PAYLOAD_TOO_LARGE',
  reason: `notification, data and tag take more than ${maxPayloadBytes} bytes`,
}

/** Nobody was asked. */
const invalidAddress: PushVerdict = { ...invalidToken, origin: { kind: 'none' } }

/** A message has exactly one of `token` and `fid`. */
function toBody({ addressKind, address }: Device, content: FcmContent): Buffer {
  return Buffer.from(JSON.stringify({ message: { [addressKind]: address, ...content } }))
}

/** Nothing was sent: no attempt is counted. All devices wait, so that one at a time waits for the token endpoint's answer. */
function toWaiting({ code, delayMs, reason }: AccessTokenError): PushVerdict {
  return { result: { kind: 'defer', code, delayMs, reason }, origin: { kind: 'down', code, waitMs: delayMs } }
}
