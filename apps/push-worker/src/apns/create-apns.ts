import { createHttpOriginClient, type Http2Rules } from '@mono/http-client'
import type { Logger } from '@mono/message-queue'
import { createDeadGuard } from '../sending/dead-guard.js'
import { createDeviceSender } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { ChannelParts, RunningChannel } from '../sending/running-channel.js'
import { createApnsChannel } from './apns-channel.js'
import type { ApnsSettings } from './apns-env.js'
import { parseApnsReason } from './apns-reason.js'
import { endsConnection } from './classify-apns-answer.js'
import { createProviderTokens } from './provider-tokens.js'
import { createSettingsWatch } from './settings-watch.js'

const day = 24 * 60 * 60 * 1000

/**
 * The channel of Apple's devices, put together.
 *
 * A connection belongs to the key of the first token on it. The key is read once in the life of a process, so no
 * connection sees another; with a new key the worker is started again, and begins with new connections.
 */
export function createApns(settings: ApnsSettings, parts: ChannelParts): RunningChannel {
  const { key, keyId, teamId, topic } = settings
  const { env, deviceStore, counts, logger } = parts
  const { concurrency } = env
  const tokens = createProviderTokens({ key, keyId, teamId })
  const client = createHttpOriginClient({
    maxConcurrent: concurrency,
    // Apple wants a connection to be kept.
    idleMs: day,
    http2: createRules(logger),
  })
  const gate = new OriginGate({ concurrency, logger })
  const guard = createDeadGuard({ channel: 'apns', logger })
  const channel = createApnsChannel({
    origins: { production: env.apnsOrigin, sandbox: env.apnsSandboxOrigin },
    topic,
    client,
    sender: createDeviceSender({ channel: 'apns', gate, waits: createDeviceWaits(), deviceStore, guard, counts }),
    tokens,
    settings: createSettingsWatch({ logger }),
  })
  return { ...channel, client, gate, guard, tokenRefreshes: () => tokens.signings }
}

/**
 * Apple admits one stream on a connection until it has accepted a token there, then as many as its settings say, which
 * change; and takes connections that are opened and closed quickly for an attack.
 */
function createRules(logger: Logger): Http2Rules {
  return {
    isProof: ({ status }) => status === 200,
    endsSession: endsConnection,
    pingMs: 60_000,
    pongMs: 10_000,
    reopenMs: 1000,
    onGoaway({ origin, errorCode, lastStreamId, data }) {
      const { reason } = parseApnsReason(data)
      logger.info({ origin, reason, errorCode, lastStreamId }, 'Apple ends a connection')
    },
  }
}
