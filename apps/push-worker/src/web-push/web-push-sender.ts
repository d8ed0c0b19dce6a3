import type { ServeResult } from '@mono/delivery-ledger'
import type { Logger } from '@mono/message-queue'
import { withDeadline } from '@mono/waiting'
import type { Device } from '../device.js'
import type { DeviceStore } from '../device-store.js'
import type { HttpAnswer } from '../http/http-messages.js'
import type { HttpOriginClient } from '../http/http-origin-client.js'
import type { OriginGate } from '../origin-gate.js'
import { classifyPushAnswer, isCredentialsRefusal, type PushVerdict } from './classify-push-answer.js'
import { classifyPushError } from './classify-push-error.js'
import type { CredentialsWatch } from './credentials-watch.js'
import { describeAnswer } from './describe-answer.js'
import type { DeviceWaits } from './device-waits.js'
import { encryptPush, InvalidKeysError } from './encrypt-push.js'
import { type EndpointGuard, isFinalRefusal } from './endpoint-guard.js'
import type { PushContent } from './to-push-content.js'
import type { VapidTokens } from './vapid-tokens.js'

export interface WebPushSenderOptions {
  guard: Pick<EndpointGuard, 'check'>
  gate: Pick<OriginGate, 'enter'>
  client: Pick<HttpOriginClient, 'request'>
  tokens: VapidTokens
  credentials: CredentialsWatch
  waits: DeviceWaits
  deviceStore: Pick<DeviceStore, 'disableDevice' | 'countRefusal' | 'clearRefusals'>
  /** For the whole request, in milliseconds. Default 10000. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

export interface SendContext {
  tenantId: number
  signal: AbortSignal
  logger: Logger
}

/** Sends to browsers (RFC 8030, 8291, 8292). */
export interface WebPushSender {
  /** What became of it is the result, not an error; a device that is gone is disabled. */
  send(device: Device, content: PushContent, context: SendContext): Promise<ServeResult>
}

export function createWebPushSender(options: WebPushSenderOptions): WebPushSender {
  const { guard, gate, client, tokens, credentials, waits, deviceStore, timeoutMs = 10_000, now = Date.now } = options

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

  /** Notes what the verdict means for the device. The delivery is settled without it: the next one finds out again. */
  async function note(device: Device, { result, disable, countsRefusal }: PushVerdict, logger: Logger): Promise<void> {
    const { id: deviceId, refusals } = device
    try {
      if (disable) await deviceStore.disableDevice(device, disable)
      const isRefused = countsRefusal === true && (await deviceStore.countRefusal(device))
      if (result.kind === 'sent' && refusals > 0) await deviceStore.clearRefusals(device)
      const reason = isRefused ? 'refused' : disable
      if (reason) logger.info({ deviceId, reason }, 'Device disabled')
    } catch (error) {
      logger.warn({ deviceId, reason: disable, err: error }, 'What was learnt of a device could not be recorded')
    }
  }

  /** How long the device waits, if the push service wants nothing for it now. */
  function toWaiting({ result, wait }: PushVerdict, { href }: URL): ServeResult {
    if (result.kind === 'sent') waits.end(href)
    if (!wait) return result
    const delayMs = waits.begin(href, wait.ms)
    return result.kind === 'defer' ? { delayMs, ...result } : result
  }

  return {
    async send(device, content, { tenantId, signal, logger }) {
      const url = guard.check(device.address)
      if (typeof url === 'string') {
        logger.warn({ deviceId: device.id, reason: url }, 'The endpoint of a device is refused')
        if (isFinalRefusal(url)) await note(device, invalidEndpoint, logger)
        return invalidEndpoint.result
      }
      const waitMs = waits.remainingMs(url.href)
      if (waitMs !== undefined) return { kind: 'defer', code: 'DEVICE_WAITS', delayMs: waitMs }
      const passage = await gate.enter(url, { tenantId, signal })
      if (passage === undefined) return { kind: 'defer', code: 'ORIGIN_BUSY' }
      if (typeof passage === 'number') return { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: passage }
      let verdict = bug
      let closedMs: number | undefined
      try {
        verdict = await attempt(url, device, content, signal)
      } finally {
        closedMs = passage.leave(verdict.origin)
      }
      await note(device, verdict, logger)
      return toFinalResult(toWaiting(verdict, url), closedMs)
    },
  }
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

/** The worker stops, or the message's time is up. */
const interrupted: PushVerdict = { result: { kind: 'retry', code: 'INTERRUPTED' }, origin: { kind: 'none' } }

/** Stands only while an error is on its way up. */
const bug: PushVerdict = { result: { kind: 'retry', code: 'UNCLASSIFIED' }, origin: { kind: 'none' } }

/** The push service's own words are the better reason. */
function withWords(verdict: PushVerdict, answer: HttpAnswer): PushVerdict {
  if (verdict.result.kind === 'sent') return verdict
  const reason = describeAnswer(answer)
  return reason === undefined ? verdict : { ...verdict, result: { ...verdict.result, reason } }
}

/** A failure of a push service that is left alone by now is not the device's, and counts as no attempt. */
function toFinalResult(result: ServeResult, closedMs: number | undefined): ServeResult {
  if (closedMs === undefined) return result
  if (result.kind === 'retry') return { ...result, kind: 'defer', delayMs: closedMs }
  return result.kind === 'defer' ? { delayMs: closedMs, ...result } : result
}
