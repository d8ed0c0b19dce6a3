import type { Logger } from '@mono/message-queue'
import type { PushEnv } from '../env.js'
import { createHttpOriginClient, type HttpOriginClient } from '../http/http-origin-client.js'
import { createDeviceSender, type DeviceSenderOptions } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { createFaultLog } from '../sending/fault-log.js'
import { OriginGate } from '../sending/origin-gate.js'
import { AccessTokens } from './access-tokens.js'
import { createFcmChannel, type FcmChannel } from './fcm-channel.js'
import type { ServiceAccount } from './service-account.js'

export interface FcmOptions {
  account: ServiceAccount
  env: Pick<PushEnv, 'fcmOrigin' | 'concurrency'>
  deviceStore: DeviceSenderOptions['deviceStore']
  logger: Logger
}

export interface Fcm {
  client: HttpOriginClient
  gate: OriginGate
  tokens: AccessTokens
  channel: FcmChannel
}

/** Puts the channel of FCM together. The client is to be closed when the last notification is served. */
export function createFcm({ account, env, deviceStore, logger }: FcmOptions): Fcm {
  const { fcmOrigin, concurrency } = env
  const client = createHttpOriginClient({ maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const tokens = new AccessTokens({ account, client, logger })
  const channel = createFcmChannel({
    url: new URL(`/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`, fcmOrigin),
    client,
    sender: createDeviceSender({ gate, waits: createDeviceWaits(), deviceStore }),
    tokens,
    faults: createFaultLog({ logger }),
    logger,
  })
  return { client, gate, tokens, channel }
}
