import type { Logger } from '@mono/message-queue'
import { channels as allChannels, type Channel } from './device.js'
import type { PushEnv } from './env.js'
import { createPushCounts, type PushCounts } from './push-counts.js'
import type { DeviceSenderOptions } from './sending/device-sender.js'
import type { RunningChannels } from './sending/running-channel.js'
import { createWebPush } from './web-push/create-web-push.js'

export interface ChannelsOptions {
  env: PushEnv
  deviceStore: DeviceSenderOptions['deviceStore']
  logger: Logger
}

/** The channels that have settings, put together. A channel without settings is off, which is said once. */
export function createChannels({ env, deviceStore, logger }: ChannelsOptions): {
  channels: RunningChannels
  counts: PushCounts
  close(): Promise<void>
} {
  const on: Channel[] = ['web']
  const counts = createPushCounts(on)
  const options = { env, deviceStore, counts, logger }
  const off = allChannels.filter((channel) => !on.includes(channel))
  if (off.length > 0) logger.info({ on, off }, 'Channels without settings are off: their devices fail with CHANNEL_OFF')
  const channels: RunningChannels = { web: createWebPush(options) }
  return {
    channels,
    counts,
    async close() {
      await Promise.all(Object.values(channels).map((channel) => channel.close()))
    },
  }
}
