import type { Logger } from '@mono/message-queue'
import type { PushEnv } from '../env.js'
import { createHttpOriginClient, type HttpOriginClient } from '../http/http-origin-client.js'
import type { Http2Rules } from '../http/http2-rules.js'
import { createDeviceSender, type DeviceSenderOptions } from '../sending/device-sender.js'
import { createDeviceWaits } from '../sending/device-waits.js'
import { OriginGate } from '../sending/origin-gate.js'
import type { PushChannel } from '../sending/push-channel.js'
import { createApnsChannel } from './apns-channel.js'
import type { apnsEnv } from './apns-env.js'
import { parseApnsReason } from './apns-reason.js'
import { endsConnection } from './classify-apns-answer.js'
import { createDeadTokensWatch } from './dead-tokens-watch.js'
import { createProviderTokens } from './provider-tokens.js'
import { createSettingsWatch } from './settings-watch.js'

export interface ApnsOptions {
  env: Pick<PushEnv, keyof typeof apnsEnv | 'concurrency'>
  deviceStore: DeviceSenderOptions['deviceStore']
  logger: Logger
}

export interface Apns {
  /** It is to be closed when the last notification is served. */
  client: HttpOriginClient
  gate: OriginGate
  channel: PushChannel
  counters: {
    /** Provider tokens that were signed. */
    readonly refreshes: number
    /** Requests that are sent and not answered yet. */
    readonly inFlight: number
  }
}

const day = 24 * 60 * 60 * 1000

/**
 * The channel of Apple's devices, put together; undefined if its settings are not there.
 *
 * A connection belongs to the key of the first token on it. The key is read once in the life of a process, so no
 * connection sees another; with a new key the worker is started again, and begins with new connections.
 */
export function createApns({ env, deviceStore, logger }: ApnsOptions): Apns | undefined {
  const { apnsKey: key, apnsKeyId: keyId, apnsTeamId: teamId, apnsTopic: topic, concurrency } = env
  if (key === undefined || keyId === undefined || teamId === undefined || topic === undefined) return undefined
  const tokens = createProviderTokens({ key, keyId, teamId })
  const client = createHttpOriginClient({
    maxConcurrent: concurrency,
    // Apple wants a connection to be kept.
    idleMs: day,
    http2: createRules(logger),
  })
  const gate = new OriginGate({ concurrency, logger })
  const channel = createApnsChannel({
    origins: { production: env.apnsOrigin, sandbox: env.apnsSandboxOrigin },
    topic,
    client,
    sender: createDeviceSender({ gate, waits: createDeviceWaits(), deviceStore }),
    tokens,
    settings: createSettingsWatch({ logger }),
    deadTokens: createDeadTokensWatch({ logger }),
  })
  const counters = {
    get refreshes() {
      return tokens.signings
    },
    get inFlight() {
      return client.inFlight
    },
  }
  return { client, gate, channel, counters }
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
