import type { ServeResult } from '@mono/delivery-ledger'
import type { Logger } from '@mono/message-queue'
import { withDeadline } from '@mono/waiting'
import type { Device, DisableReason } from '../device.js'
import type { DeviceStore } from '../device-store.js'
import type { HttpAnswer } from '../http/http-messages.js'
import type { HttpOriginClient } from '../http/http-origin-client.js'
import type { OriginGate } from '../origin-gate.js'
import { classifyPushAnswer, isCredentialsRefusal, type PushVerdict } from './classify-push-answer.js'
import { classifyPushError } from './classify-push-error.js'
import type { CredentialsWatch } from './credentials-watch.js'
import { encryptPush, InvalidKeysError } from './encrypt-push.js'
import type { EndpointGuard } from './endpoint-guard.js'
import type { PushContent } from './to-push-content.js'
import type { VapidTokens } from './vapid-tokens.js'

export interface WebPushSenderOptions {
  guard: Pick<EndpointGuard, 'check'>
  gate: Pick<OriginGate, 'enter'>
  client: Pick<HttpOriginClient, 'request'>
  tokens: VapidTokens
  credentials: CredentialsWatch
  deviceStore: Pick<DeviceStore, 'disableDevice'>
  /** For the whole request, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

export interface SendContext {
  signal: AbortSignal
  logger: Logger
}

/** Sends to browsers (RFC 8030, 8291, 8292). */
export interface WebPushSender {
  /** What became of it is the result, not an error; a device that is gone is disabled. */
  send(device: Device, content: PushContent, context: SendContext): Promise<ServeResult>
}

export function createWebPushSender(options: WebPushSenderOptions): WebPushSender {
  const { guard, gate, client, tokens, credentials, deviceStore, timeoutMs = 10_000, now = Date.now } = options

  async function ask(url: URL, device: Device, content: PushContent, signal: AbortSignal): Promise<HttpAnswer> {
    const authorization = tokens.get(url.origin)
    const { headers, body } = encryptPush(device, content, authorization)
    const answer = await client.request({ url, method: 'POST', headers, body, signal })
    if (!isCredentialsRefusal(answer)) return answer
    const renewed = { ...headers, authorization: tokens.renew(url.origin, authorization) }
    return await client.request({ url, method: 'POST', headers: renewed, body, signal })
  }

  async function attempt(url: URL, device: Device, content: PushContent, signal: AbortSignal): Promise<PushVerdict> {
    try {
      const answer = await withDeadline({ ms: timeoutMs, signal }, (within) => ask(url, device, content, within))
      if (isCredentialsRefusal(answer)) return credentials.refused(url.origin, answer.status)
      const verdict = classifyPushAnswer(answer, now())
      if (verdict.result.kind === 'sent') credentials.accepted(url.origin)
      return verdict
    } catch (error) {
      if (error instanceof InvalidKeysError) return invalidKeys
      if (signal.aborted) return interrupted
      return classifyPushError(error)
    }
  }

  /** The delivery is settled without it: the next notification to the device finds out again. */
  async function disable(device: Device, reason: DisableReason, logger: Logger): Promise<void> {
    try {
      await deviceStore.disableDevice(device, reason)
      logger.info({ deviceId: device.id, reason }, 'Device disabled')
    } catch (error) {
      logger.warn({ deviceId: device.id, reason, err: error }, 'A device that cannot be reached could not be disabled')
    }
  }

  return {
    async send(device, content, { signal, logger }) {
      const url = guard.check(device.address)
      if (typeof url === 'string') {
        logger.warn({ deviceId: device.id, reason: url }, 'The endpoint of a device is refused')
        return { kind: 'failed', code: 'ENDPOINT_REFUSED' }
      }
      const passage = await gate.enter(url.origin, signal)
      if (typeof passage === 'number') return { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: passage }
      let verdict = bug
      let closedMs: number | undefined
      try {
        verdict = await attempt(url, device, content, signal)
      } finally {
        closedMs = passage.leave(verdict.origin)
      }
      if (verdict.disable) await disable(device, verdict.disable, logger)
      return toFinalResult(verdict.result, closedMs)
    },
  }
}

const invalidKeys: PushVerdict = {
  result: { kind: 'failed', code: 'INVALID_KEYS' },
  origin: { kind: 'none' },
  disable: 'invalid-keys',
}

/** The worker stops, or the message's time is up. */
const interrupted: PushVerdict = { result: { kind: 'retry', code: 'INTERRUPTED' }, origin: { kind: 'none' } }

/** Stands only while an error is on its way up. */
const bug: PushVerdict = { result: { kind: 'retry', code: 'UNCLASSIFIED' }, origin: { kind: 'none' } }

/** A failure of a push service that is left alone by now is not the device's, and counts as no attempt. */
function toFinalResult(result: ServeResult, closedMs: number | undefined): ServeResult {
  if (closedMs === undefined) return result
  if (result.kind === 'retry') return { kind: 'defer', code: result.code, delayMs: closedMs }
  return result.kind === 'defer' ? { delayMs: closedMs, ...result } : result
}
