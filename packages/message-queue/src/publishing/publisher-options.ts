import type { Logger } from '../logger.js'

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
