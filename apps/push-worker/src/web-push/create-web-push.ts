import { createHttpOriginClient } from '@mono/http-client'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { ChannelParts, RunningChannel } from '../sending/running-channel.js'
import { createCredentialsWatch } from './credentials-watch.js'
import { createEndpointGuard } from './endpoint-guard.js'
import { createVapidTokens } from './vapid-tokens.js'
import { createWebPushChannel } from './web-push-channel.js'

export function createWebPush({ env, deviceStore, counts, logger }: ChannelParts): RunningChannel {
  const { vapidSubject: subject, vapidPublicKey: publicKey, vapidPrivateKey: privateKey, concurrency } = env
  const guard = createEndpointGuard({ allow: env.endpointAllow })
  const client = createHttpOriginClient({ lookup: guard.lookup, maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const tokens = createVapidTokens({ keys: { subject, publicKey, privateKey } })
  const deadGuard = createDeadGuard({ channel: 'web', logger })
  const channel = createWebPushChannel({
    guard,
    client,
    sender: createDeviceSender({
      channel: 'web',
      gate,
      waits: createDeviceWaits(),
      deviceStore,
      guard: deadGuard,
      counts,
    }),
    tokens,
    credentials: createCredentialsWatch({ logger }),
  })
  return {
    ...channel,
    client,
    gate,
    guard: deadGuard,
    tokenRefreshes: () => tokens.signings,
  }
}
