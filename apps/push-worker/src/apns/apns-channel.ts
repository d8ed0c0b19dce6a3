import type { ServeResult } from '@mono/delivery-ledger'
import type { HttpAnswer, HttpOriginClient, HttpRequest } from '@mono/http-client'
import { withDeadline } from '@mono/waiting'
import type { Device } from '../device.js'
import type { DeviceSender } from '../sending/device-sender.js'
import { interrupted } from '../sending/interrupted.js'
import type { PushChannel, PushMessage } from '../sending/push-channel.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { withWords } from '../sending/with-words.js'
import { readApnsReason } from './apns-reason.js'
import { classifyApnsAnswer, isExpiredToken, isSettingsRefusal } from './classify-apns-answer.js'
import { classifyApnsError } from './classify-apns-error.js'
import type { ProviderTokens } from './provider-tokens.js'
import type { SettingsWatch } from './settings-watch.js'
import { maxPayloadBytes, toApnsContent } from './to-apns-content.js'
import { toDevicePath } from './to-device-path.js'
import { toUuidV5 } from './to-uuid-v5.js'

export interface ApnsChannelOptions {
  /** Apple's server for each environment: it knows the devices of that one only. */
  origins: Record<Device['environment'], string>
  /** The bundle id of the app. */
  topic: string
  sender: DeviceSender
  client: Pick<HttpOriginClient, 'request'>
  tokens: Pick<ProviderTokens, 'get' | 'renew'>
  settings: SettingsWatch
  /** The time that a whole request has, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** A request to which only its method and the provider token have to be added. */
type Unsigned = Pick<HttpRequest, 'url' | 'headers' | 'body'>

/** `apns-id` is made from names in this namespace: another one would give every notification another id. */
const idNamespace = 'b2f6e0c4-5d0b-4c86-9a3f-6c0d1f8e7a52'

/** Sends to apps on Apple's devices, by Apple's push service. */
export function createApnsChannel(options: ApnsChannelOptions): PushChannel {
  const { origins, topic, sender, client, tokens, settings, timeoutMs = 10_000, now = Date.now } = options

  async function ask({ headers, ...request }: Unsigned, signal: AbortSignal): Promise<HttpAnswer> {
    const askWith = (token: string) =>
      client.request({
        ...request,
        method: 'POST',
        headers: { ...headers, authorization: `bearer ${token}` },
        signal,
      })
    const token = tokens.get()
    const answer = await askWith(token)
    const renewed = isExpiredToken(answer) ? tokens.renew(token) : undefined
    return renewed === undefined ? answer : await askWith(renewed)
  }

  async function attempt(request: Unsigned, device: Device, signal: AbortSignal): Promise<PushVerdict> {
    try {
      const answer = await withDeadline({ ms: timeoutMs, signal }, (within) => ask(request, within))
      return withWords(judge(request.url, answer, device), answer)
    } catch (error) {
      if (signal.aborted) return interrupted
      return classifyApnsError(error)
    }
  }

  function judge({ origin }: URL, answer: HttpAnswer, device: Device): PushVerdict {
    const { status } = answer
    if (isSettingsRefusal(answer)) settings.refused(origin, { status, reason: readApnsReason(answer).reason })
    const verdict = classifyApnsAnswer(answer, device, now())
    if (verdict.result.kind === 'sent') settings.accepted(origin)
    return verdict
  }

  return {
    originOf: ({ environment }) => origins[environment],
    prepare(message) {
      const content = toApnsContent(message, topic)
      return {
        async send(device, context) {
          if (content === undefined) return tooLarge
          const path = toDevicePath(device.address)
          if (path === undefined) {
            await sender.note(device, invalidToken, context.logger)
            return invalidToken.result
          }
          const url = new URL(path, origins[device.environment])
          const headers = { ...content.headers, 'apns-id': toApnsId(message, device) }
          const request = { url, headers, body: content.payload }
          return await sender.send(
            { device, endpoint: url, attempt: () => attempt(request, device, context.signal) },
            context,
          )
        },
      }
    },
  }
}

const tooLarge: ServeResult = {
  kind: 'failed',
  code: 'PAYLOAD_TOO_LARGE',
  reason: `title, body and data take more than ${maxPayloadBytes} bytes`,
}

const invalidToken: PushVerdict = {
  result: { kind: 'failed', code: 'INVALID_TOKEN' },
  origin: { kind: 'none' },
  disable: 'invalid-token',
}

/** It is the same at every try, so that Apple's logs have one name for a notification. */
function toApnsId({ tenantId, messageId }: PushMessage, { id }: Device): string {
  return toUuidV5(idNamespace, JSON.stringify([tenantId, messageId, id]))
}
