import type { Logger } from '@mono/message-queue'
import type { PushEnv } from '../env.js'
import { createHttpOriginClient, type HttpOriginClient } from '../http/http-origin-client.js'
import { OriginGate } from '../origin-gate.js'
import { createCredentialsWatch } from './credentials-watch.js'
import { createDeviceWaits } from './device-waits.js'
import { createEndpointGuard } from './endpoint-guard.js'
import { createVapidTokens } from './vapid-tokens.js'
import { createWebPushSender, type WebPushSender, type WebPushSenderOptions } from './web-push-sender.js'

export interface WebPushOptions {
  env: Pick<PushEnv, 'vapidSubject' | 'vapidPublicKey' | 'vapidPrivateKey' | 'endpointAllow' | 'concurrency'>
  deviceStore: WebPushSenderOptions['deviceStore']
  logger: Logger
}

/** The web channel, put together. The client is to be closed when the last notification is served. */
export function createWebPush({ env, deviceStore, logger }: WebPushOptions): {
  client: HttpOriginClient
  gate: OriginGate
  webPush: WebPushSender
} {
  const { vapidSubject: subject, vapidPublicKey: publicKey, vapidPrivateKey: privateKey, concurrency } = env
  const guard = createEndpointGuard({ allow: env.endpointAllow })
  const client = createHttpOriginClient({ lookup: guard.lookup, maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const webPush = createWebPushSender({
    guard,
    client,
    gate,
    tokens: createVapidTokens({ keys: { subject, publicKey, privateKey } }),
    credentials: createCredentialsWatch({ logger }),
    waits: createDeviceWaits(),
    deviceStore,
  })
  return { client, gate, webPush }
}
