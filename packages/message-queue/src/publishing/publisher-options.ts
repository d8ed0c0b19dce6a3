import type { Logger } from '../logger.js'
import { type ConnectToBroker, connectToBroker } from './connection-open.js'

export interface ResolvedPublisherOptions {
  /** `amqp:` or `amqps:`, at least one; tried in turn. */
  urls: readonly string[]
  /** Shown in the broker's list of connections. */
  connectionName: string
  logger: Logger
  /** For `connect` and `withChannel`; a message brings its own. */
  deadlineMs: number
  /** Unconfirmed messages of one exchange. */
  maxInFlight: number
  /** Messages that wait to be sent, of all exchanges. */
  maxBufferedMessages: number
  /**
   * Bytes of their bodies. The bodies in flight to one exchange are limited to as many, so that large messages do not
   * make a window of `maxInFlight` into gigabytes.
   */
  maxBufferedBytes: number
  heartbeatSeconds: number
}

/** What no user sets and tests do. */
export interface PublisherInternals {
  connect: ConnectToBroker
  /** Less than a message's default deadline, so that one dead node of a cluster does not use it up. */
  connectTimeoutMs: number
  closeTimeoutMs: number
}

export const publisherInternals: PublisherInternals = {
  connect: connectToBroker,
  connectTimeoutMs: 4_000,
  closeTimeoutMs: 2_000,
}
