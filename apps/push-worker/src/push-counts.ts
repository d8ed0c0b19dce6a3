import type { ServeResult } from '@mono/delivery-ledger'
import { createTally, type OwnMetric } from '@mono/worker-runtime'
import type { Channel, DisableReason } from './device.js'

/** Counts what becomes of devices, by channel, for the metrics. */
export interface PushCounts {
  /** A notification was settled for a device. */
  settled(channel: Channel, result: ServeResult): void
  /** A device was disabled. */
  disabled(channel: Channel, reason: DisableReason | 'refused'): void
  /** So many keys of a notification's `data` were not sent to FCM, which reserves them. */
  reservedKeys(count: number): void
  readonly metrics: readonly OwnMetric[]
}

/** The channels begin at zero, so that the first of something is a growth. */
export function createPushCounts(channels: readonly Channel[]): PushCounts {
  const outcomes = createTally(['channel', 'outcome', 'code'])
  const disabled = createTally(['channel', 'reason'])
  let reservedKeys = 0
  for (const channel of channels) {
    outcomes.add({ channel, outcome: 'sent', code: '' }, 0)
    disabled.add({ channel, reason: 'gone' }, 0)
  }
  return {
    settled(channel, result) {
      outcomes.add({ channel, outcome: result.kind, code: result.kind === 'sent' ? '' : result.code })
    },
    disabled(channel, reason) {
      disabled.add({ channel, reason })
    },
    reservedKeys(count) {
      reservedKeys += count
    },
    metrics: [
      {
        kind: 'counter',
        name: 'mono_push_outcomes_total',
        help: 'What became of notifications at single devices, by channel, outcome and code',
        ...outcomes,
      },
      {
        kind: 'counter',
        name: 'mono_push_devices_disabled_total',
        help: 'Devices that were disabled, by channel and reason',
        ...disabled,
      },
      {
        kind: 'counter',
        name: 'mono_push_reserved_keys_total',
        help: 'Keys of data that were left out of what FCM gets, because FCM reserves them',
        read: () => reservedKeys,
      },
    ],
  }
}
