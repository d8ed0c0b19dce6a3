import type { Logger } from '@mono/message-queue'
import type { Channel } from '../device.js'
import type { PushEnv } from '../env.js'
import type { PushCounts } from '../push-counts.js'
import type { DeadGuard } from './dead-guard.js'
import type { DeviceSenderOptions } from './device-sender.js'
import type { OriginGate } from './origin-gate.js'
import type { PushChannel } from './push-channel.js'

/** What a channel is put together from. */
export interface ChannelParts {
  env: PushEnv
  deviceStore: DeviceSenderOptions['deviceStore']
  counts: Pick<PushCounts, 'disabled' | 'reservedKeys'>
  logger: Logger
}

/** A channel, put together, and what it shows of itself. */
export interface RunningChannel extends PushChannel {
  gate: Pick<OriginGate, 'closed' | 'inFlight'>
  guard: Pick<DeadGuard, 'doubts'>
  /** How often it has made or fetched a token of ours since the start. Absent: it has none that is counted. */
  tokenRefreshes?: () => number
  /** To be called when the last notification is served. */
  close(): Promise<void>
}

/** A channel that is not among them is off. */
export type RunningChannels = Partial<Record<Channel, RunningChannel>>
