import { createHttpOriginClient } from '@mono/http-client'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { createFaultLog } from '../sending/fault-log.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { ChannelParts, RunningChannel } from '../sending/running-channel.js'
import { AccessTokens } from './access-tokens.js'
import { createFcmChannel } from './fcm-channel.js'
import type { ServiceAccount } from './service-account.js'

/** Puts the channel of FCM together. */
export function createFcm(account: ServiceAccount, { env, deviceStore, counts, logger }: ChannelParts): RunningChannel {
  const { fcmOrigin, concurrency } = env
  const client = createHttpOriginClient({ maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const guard = createDeadGuard({ channel: 'fcm', logger })
  const tokens = new AccessTokens({ account, client, logger })
  const channel = createFcmChannel({
    url: new URL(`/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`, fcmOrigin),
    client,
    sender: createDeviceSender({ channel: 'fcm', gate, waits: createDeviceWaits(), deviceStore, guard, counts }),
    tokens,
    faults: createFaultLog({ logger }),
    onReservedKeys: (count) => counts.reservedKeys(count),
    logger,
  })
  return { ...channel, client, gate, guard, tokenRefreshes: () => tokens.refreshes }
}
