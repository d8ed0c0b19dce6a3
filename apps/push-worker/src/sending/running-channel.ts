import type { HttpOriginClient } from '@mono/http-client'
import type { Logger } from '@mono/message-queue'
import type { Channel } from '../device.js'
import type { PushEnv } from '../env.js'
import type { PushCounts } from '../push-counts.js'
import type { DeadGuard } from './dead-guard.js'
import type { DeviceSenderOptions } from './device-sender.js'
import type { OriginGate } from './origin-gate.js'
import type { PushChannel } from './push-channel.js'

/** A channel is put together from these. */
export interface ChannelParts {
  env: PushEnv
  deviceStore: DeviceSenderOptions['deviceStore']
  counts: Pick<PushCounts, 'disabled' | 'reservedKeys'>
  logger: Logger
}

/** A channel, put together, and what it shows of itself. */
export interface RunningChannel extends PushChannel {
  client: Pick<HttpOriginClient, 'inFlight' | 'close'>
  gate: Pick<OriginGate, 'closed'>
  guard: Pick<DeadGuard, 'doubts'>
  /** Counts the tokens of ours that it has made or fetched since the start. */
  tokenRefreshes(): number
}

/** A channel that is not among them is off. */
export type RunningChannels = Partial<Record<Channel, RunningChannel>>
