import { parseBrokerUrl } from '@mono/rascal-config'
import type { Logger } from './logger.js'
import { silentLogger } from './logger.js'

export interface MessageQueueOptions {
  /** One `amqp://` or `amqps://` address, or those of a cluster's nodes. */
  url: string | readonly string[]
  /** Shown in RabbitMQ's management page, and sent as `app_id`. Default `mono`. */
  connectionName?: string
  /** Default: nothing is logged. */
  logger?: Logger
  /** What consumers do with the topology, see the environment variable `TOPOLOGY`. Default `declare`. */
  topology?: 'declare' | 'check'
  /** A send settles within this time, in milliseconds. Default 10,000. */
  deadlineMs?: number
  /** How many messages of one exchange may be on the wire and not yet confirmed. Default 1,000. */
  maxInFlight?: number
  /** How many messages may wait to be sent. Past it a send fails at once. Default 10,000. */
  maxBufferedMessages?: number
  /** How many bytes may wait to be sent. Default 64 MiB. */
  maxBufferedBytes?: number
  /** Of the publishing connection. Default 10; consumers' connections always have 10. */
  heartbeatSeconds?: number
}

export interface ResolvedMessageQueueOptions {
  urls: readonly string[]
  connectionName: string
  logger: Logger
  topologyMode: 'declare' | 'check'
  deadlineMs: number
  maxInFlight: number
  maxBufferedMessages: number
  maxBufferedBytes: number
  heartbeatSeconds: number
}

const mebibyte = 1024 * 1024

/** @throws RangeError naming the option, what was found and what is allowed */
export function resolveMessageQueueOptions(options: MessageQueueOptions): ResolvedMessageQueueOptions {
  const resolved = {
    urls: [options.url].flat(),
    connectionName: options.connectionName ?? 'mono',
    logger: options.logger ?? silentLogger,
    topologyMode: options.topology ?? 'declare',
    deadlineMs: options.deadlineMs ?? 10_000,
    maxInFlight: options.maxInFlight ?? 1_000,
    maxBufferedMessages: options.maxBufferedMessages ?? 10_000,
    maxBufferedBytes: options.maxBufferedBytes ?? 64 * mebibyte,
    heartbeatSeconds: options.heartbeatSeconds ?? 10,
  }
  if (resolved.urls.length === 0) throw new RangeError('url: expected at least one address, found none')
  for (const url of resolved.urls) parseBrokerUrl(url, 'url')
  assertAtLeast('deadlineMs', resolved.deadlineMs, 1)
  assertAtLeast('maxInFlight', resolved.maxInFlight, 1)
  assertAtLeast('maxBufferedMessages', resolved.maxBufferedMessages, 0)
  assertAtLeast('maxBufferedBytes', resolved.maxBufferedBytes, 0)
  assertAtLeast('heartbeatSeconds', resolved.heartbeatSeconds, 1)
  return resolved
}

function assertAtLeast(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return
  throw new RangeError(`${name}: expected an integer of at least ${min}, found ${value}`)
}
