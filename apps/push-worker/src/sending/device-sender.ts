import type { ServeResult } from '@mono/delivery-ledger'
import type { Logger } from '@mono/message-queue'
import type { Channel, Device } from '../device.js'
import type { DeviceStore } from '../device-store.js'
import type { PushCounts } from '../push-counts.js'
import type { DeadGuard } from './dead-guard.js'
import type { DeviceWaits } from './device-waits.js'
import type { OriginGate } from './origin-gate.js'
import type { SendContext } from './push-channel.js'
import type { PushVerdict } from './push-verdict.js'

export interface DeviceSenderOptions {
  channel: Channel
  gate: Pick<OriginGate, 'enter'>
  waits: DeviceWaits
  deviceStore: Pick<DeviceStore, 'disableDevice' | 'countRefusal' | 'clearRefusals'>
  guard: Pick<DeadGuard, 'believes'>
  counts: Pick<PushCounts, 'disabled'>
}

/** Where a device is: its push service, and what tells it from the others there. */
export type Endpoint = Pick<URL, 'origin' | 'href'>

export interface DeviceAttempt {
  device: Device
  endpoint: Endpoint
  /** Sends the notification, and tells what became of it. */
  attempt(): Promise<PushVerdict>
}

/**
 * Does the part of sending to a device that is the same for every channel: a device or a push service that has to be left
 * alone is asked for nothing, requests take turns, and what an answer shows is noted.
 */
export interface DeviceSender {
  send(attempt: DeviceAttempt, context: SendContext): Promise<ServeResult>
  /**
   * Notes what a verdict means for the device. The delivery is settled without it: the next one finds out again.
   */
  note(device: Device, verdict: PushVerdict, logger: Logger): Promise<void>
}

export function createDeviceSender(options: DeviceSenderOptions): DeviceSender {
  const { channel, gate, waits, deviceStore, guard, counts } = options

  /** How long the device waits, if the push service wants nothing for it now. */
  function toWaiting({ result, wait }: PushVerdict, { href }: Endpoint): ServeResult {
    if (result.kind === 'sent') waits.end(href)
    if (!wait) return result
    const delayMs = waits.begin(href, wait.ms)
    return result.kind === 'defer' ? { delayMs, ...result } : result
  }

  /** An answer is believed as far as its channel is; our own finding is. */
  function toBelievable({ device, endpoint }: DeviceAttempt, verdict: PushVerdict): PushVerdict {
    if (!isAnswer[verdict.origin.kind]) return verdict
    const isBelieved = guard.believes(endpoint.origin, { deviceId: device.id, isDead: verdict.disable !== undefined })
    return isBelieved ? verdict : { ...verdict, disable: undefined }
  }

  async function note(device: Device, verdict: PushVerdict, logger: Logger): Promise<void> {
    const { result, disable, countsRefusal } = verdict
    const { id: deviceId, refusals } = device
    try {
      const isDisabled = disable !== undefined && (await deviceStore.disableDevice(device, disable))
      const isRefused = countsRefusal === true && (await deviceStore.countRefusal(device))
      if (result.kind === 'sent' && refusals > 0) await deviceStore.clearRefusals(device)
      if (!isDisabled && !isRefused) return
      const reason = disable ?? 'refused'
      counts.disabled(channel, reason)
      logger.info({ deviceId, reason }, 'Device disabled')
    } catch (error) {
      logger.warn({ deviceId, reason: disable, err: error }, 'What was learnt of a device could not be recorded')
    }
  }

  return {
    note,
    async send(asked, { tenantId, signal, logger }) {
      const { device, endpoint, attempt } = asked
      const waitMs = waits.remainingMs(endpoint.href)
      if (waitMs !== undefined) return { kind: 'defer', code: 'DEVICE_WAITS', delayMs: waitMs }
      const passage = await gate.enter(endpoint, { tenantId, signal })
      if (passage === undefined) return { kind: 'defer', code: 'ORIGIN_BUSY' }
      if (typeof passage === 'number') return { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: passage }
      let verdict = bug
      let closedMs: number | undefined
      try {
        verdict = await attempt()
      } finally {
        closedMs = passage.leave(verdict.origin)
      }
      await note(device, toBelievable(asked, verdict), logger)
      return toFinalResult(toWaiting(verdict, endpoint), closedMs)
    },
  }
}

/** The push service has said something of the device. */
const isAnswer: Record<PushVerdict['origin']['kind'], boolean> = {
  accepted: true,
  alive: true,
  refused: true,
  failing: false,
  down: false,
  none: false,
}

/** Stands only while an error is on its way up. */
const bug: PushVerdict = { result: { kind: 'retry', code: 'UNCLASSIFIED' }, origin: { kind: 'none' } }

/** A failure of a push service that is left alone by now is not the device's, and counts as no attempt. */
function toFinalResult(result: ServeResult, closedMs: number | undefined): ServeResult {
  if (closedMs === undefined) return result
  if (result.kind === 'retry') return { ...result, kind: 'defer', delayMs: closedMs }
  return result.kind === 'defer' ? { delayMs: closedMs, ...result } : result
}
