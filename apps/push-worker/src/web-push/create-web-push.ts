import type { Logger } from '@mono/message-queue'
import type { PushEnv } from '../env.js'
import { createHttpOriginClient, type HttpOriginClient } from '../http/http-origin-client.js'
import { createDeviceSender, type DeviceSenderOptions } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { PushChannel } from '../sending/push-channel.js'
import { createCredentialsWatch } from './credentials-watch.js'
import { createEndpointGuard } from './endpoint-guard.js'
import { createVapidTokens } from './vapid-tokens.js'
import { createWebPushChannel } from './web-push-channel.js'

export interface WebPushOptions {
  env: Pick<PushEnv, 'vapidSubject' | 'vapidPublicKey' | 'vapidPrivateKey' | 'endpointAllow' | 'concurrency'>
  deviceStore: DeviceSenderOptions['deviceStore']
  logger: Logger
}

/** The web channel, put together. The client is to be closed when the last notification is served. */
export function createWebPush({ env, deviceStore, logger }: WebPushOptions): {
  client: HttpOriginClient
  gate: OriginGate
  channel: PushChannel
} {
  const { vapidSubject: subject, vapidPublicKey: publicKey, vapidPrivateKey: privateKey, concurrency } = env
  const guard = createEndpointGuard({ allow: env.endpointAllow })
  const client = createHttpOriginClient({ lookup: guard.lookup, maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const channel = createWebPushChannel({
    guard,
    client,
    sender: createDeviceSender({ gate, waits: createDeviceWaits(), deviceStore }),
    tokens: createVapidTokens({ keys: { subject, publicKey, privateKey } }),
    credentials: createCredentialsWatch({ logger }),
  })
  return { client, gate, channel }
}
