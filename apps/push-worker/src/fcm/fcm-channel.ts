import { AccessTokenError } from '@mono/access-tokens'
import type { ServeResult } from '@mono/delivery-ledger'
import type { Logger } from '@mono/message-queue'
import type { Device } from '../device.js'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { DeviceSender } from '../sending/device-sender.js'
import { interrupted } from '../sending/interrupted.js'
import type { PushChannel } from '../sending/push-channel.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { invalidToken } from './classify-fcm-answer.js'
import { createFcmApi, type FcmApiOptions } from './fcm-api.js'
import { isFcmAddress } from './is-fcm-address.js'
import { countPayloadBytes, type FcmContent, maxPayloadBytes, toFcmContent } from './to-fcm-content.js'

export interface FcmChannelOptions extends FcmApiOptions {
  sender: DeviceSender
  /** Called with how many keys of a message's `data` are left out because FCM reserves them. */
  onReservedKeys(count: number): void
  logger: Logger
}

/** Sends to apps through the HTTP v1 API of Firebase Cloud Messaging. */
export function createFcmChannel(options: FcmChannelOptions): PushChannel {
  const { url, sender, logger } = options
  const api = createFcmApi(options)

  async function attempt(device: Device, content: FcmContent, signal: AbortSignal): Promise<PushVerdict> {
    try {
      return await api.ask(toBody(device, content), signal)
    } catch (error) {
      if (signal.aborted) return interrupted
      return error instanceof AccessTokenError ? toWaiting(error) : classifyRequestError(error)
    }
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
