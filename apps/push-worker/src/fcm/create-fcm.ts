import { AccessTokens } from '@mono/access-tokens'
import { createHttpOriginClient } from '@mono/http-client'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { createFaultLog } from '../sending/fault-log.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { ChannelParts, RunningChannel } from '../sending/running-channel.js'
import { createFcmApi } from './fcm-api.js'
import { createFcmChannel } from './fcm-channel.js'
import { probeFcm } from './probe-fcm.js'
import type { ServiceAccount } from './service-account.js'
import { signAssertion } from './sign-assertion.js'

/** Puts the channel of FCM together, and asks FCM whether it takes messages. */
export function createFcm(account: ServiceAccount, { env, deviceStore, counts, logger }: ChannelParts): RunningChannel {
  const { fcmOrigin, concurrency } = env
  const client = createHttpOriginClient({ maxConcurrent: concurrency })
  const gate = new OriginGate({ concurrency, logger })
  const guard = createDeadGuard({ channel: 'fcm', logger })
  const tokens = new AccessTokens({
    url: account.tokenUri,
    createForm: (now) =>
      new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: signAssertion(account, now),
      }),
    adviseOnRefusal: () => 'The token endpoint refuses the service account; check FCM_SERVICE_ACCOUNT and the clock',
    client,
    logger,
  })
  const url = new URL(`/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`, fcmOrigin)
  const apiOptions = { url, client, tokens, faults: createFaultLog({ logger }) }
  const channel = createFcmChannel({
    ...apiOptions,
    sender: createDeviceSender({ channel: 'fcm', gate, waits: createDeviceWaits(), deviceStore, guard, counts }),
    onReservedKeys: (count) => counts.reservedKeys(count),
    logger,
  })
  void probeFcm({ api: createFcmApi(apiOptions), projectId: account.projectId, logger })
  return { ...channel, client, gate, guard, tokenRefreshes: () => tokens.refreshes }
}
