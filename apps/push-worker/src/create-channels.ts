import { toApnsSettings } from './apns/apns-env.js'
import { createApns } from './apns/create-apns.js'
import { channels as allChannels } from './device.js'
import { createFcm } from './fcm/create-fcm.js'
import { createPushCounts, type PushCounts } from './push-counts.js'
import type { ChannelParts, RunningChannels } from './sending/running-channel.js'
import { createWebPush } from './web-push/create-web-push.js'

/** The channels that have settings, put together. A channel without settings is off, which is said once. */
export function createChannels({ env, deviceStore, logger }: Omit<ChannelParts, 'counts'>): {
  channels: RunningChannels
  counts: PushCounts
  /** Ends all connections; it is called when the last notification is served. */
  close(): Promise<void>
} {
  const { fcmServiceAccount } = env
  const apnsSettings = toApnsSettings(env)
  const hasSettings = { web: true, fcm: fcmServiceAccount !== undefined, apns: apnsSettings !== undefined }
  const on = allChannels.filter((channel) => hasSettings[channel])
  const off = allChannels.filter((channel) => !hasSettings[channel])
  const counts = createPushCounts(on)
  const parts = { env, deviceStore, counts, logger }
  if (off.length > 0) logger.info({ on, off }, 'Channels without settings are off: their devices fail with CHANNEL_OFF')
  const channels: RunningChannels = {
    web: createWebPush(parts),
    ...(fcmServiceAccount && { fcm: createFcm(fcmServiceAccount, parts) }),
    ...(apnsSettings && { apns: createApns(apnsSettings, parts) }),
  }
  return {
    channels,
    counts,
    async close() {
      await Promise.all(Object.values(channels).map(({ client }) => client.close()))
    },
  }
}
