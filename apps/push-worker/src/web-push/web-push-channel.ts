import type { ServeResult } from '@mono/delivery-ledger'
import type { HttpAnswer, HttpOriginClient } from '@mono/http-client'
import { withDeadline } from '@mono/waiting'
import type { Device } from '../device.js'
import type { DeviceSender } from '../sending/device-sender.js'
import { interrupted } from '../sending/interrupted.js'
import type { PushChannel } from '../sending/push-channel.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { withWords } from '../sending/with-words.js'
import { classifyPushAnswer, isCredentialsRefusal } from './classify-push-answer.js'
import { classifyPushError } from './classify-push-error.js'
import type { CredentialsWatch } from './credentials-watch.js'
import { encryptPush, InvalidKeysError } from './encrypt-push.js'
import { type EndpointGuard, isFinalRefusal } from './endpoint-guard.js'
import { maxPayloadBytes, toWebContent, type WebContent } from './to-web-content.js'
import type { VapidTokens } from './vapid-tokens.js'

export interface WebPushChannelOptions {
  guard: Pick<EndpointGuard, 'check'>
  sender: DeviceSender
  client: Pick<HttpOriginClient, 'request'>
  tokens: Pick<VapidTokens, 'get' | 'renew'>
  credentials: CredentialsWatch
  /** For the whole request, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** Sends to browsers (RFC 8030, 8291, 8292). */
export function createWebPushChannel(options: WebPushChannelOptions): PushChannel {
  const { guard, sender, client, tokens, credentials, timeoutMs = 10_000, now = Date.now } = options

  async function ask(url: URL, device: Device, content: WebContent, signal: AbortSignal): Promise<HttpAnswer> {
    const authorization = tokens.get(url.origin)
    const { headers, body } = encryptPush(device, content, authorization)
    const answer = await client.request({ url, method: 'POST', headers, body, signal })
    if (!isCredentialsRefusal(answer)) return answer
    const renewed = { ...headers, authorization: tokens.renew(url.origin, authorization) }
    return await client.request({ url, method: 'POST', headers: renewed, body, signal })
  }

  async function attempt(url: URL, device: Device, content: WebContent, signal: AbortSignal): Promise<PushVerdict> {
    try {
      const answer = await withDeadline({ ms: timeoutMs, signal }, (within) => ask(url, device, content, within))
      const isRefusal = isCredentialsRefusal(answer)
      const verdict = isRefusal ? credentials.refused(url, answer.status) : classifyPushAnswer(answer, now())
      if (verdict.result.kind === 'sent') credentials.accepted(url)
      return withWords(verdict, answer)
    } catch (error) {
      if (error instanceof InvalidKeysError) return invalidKeys
      if (signal.aborted) return interrupted
      return classifyPushError(error)
    }
  }

  return {
    originOf({ address }) {
      const url = guard.check(address)
      return typeof url === 'string' ? 'refused' : url.origin
    },
    prepare(message) {
      const content = toWebContent(message)
      return {
        async send(device, context) {
          if (content === undefined) return tooLarge
          const { signal, logger } = context
          const url = guard.check(device.address)
          if (typeof url !== 'string') {
            return await sender.send(
              { device, endpoint: url, attempt: () => attempt(url, device, content, signal) },
              context,
            )
          }
          logger.warn({ deviceId: device.id, reason: url }, 'The endpoint of a device is refused')
          if (isFinalRefusal(url)) await sender.note(device, invalidEndpoint, logger)
          return invalidEndpoint.result
        },
      }
    },
  }
}

const tooLarge: ServeResult = {
  kind: 'failed',
  code: 'PAYLOAD_TOO_LARGE',
  reason: `title, body, data and tag take more than ${maxPayloadBytes} bytes`,
}

const invalidKeys: PushVerdict = {
  result: { kind: 'failed', code: 'INVALID_KEYS' },
  origin: { kind: 'none' },
  disable: 'invalid-keys',
}

const invalidEndpoint: PushVerdict = {
  result: { kind: 'failed', code: 'ENDPOINT_REFUSED' },
  origin: { kind: 'none' },
  disable: 'invalid-endpoint',
}
