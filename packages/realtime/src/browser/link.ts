import type { RealtimeToken } from './realtime-token.js'

/** One connection to the broker. It is not opened again when it is lost. */
export interface Link {
  /**
   * Resolves when the broker has answered, with the topics that it refuses. Some brokers refuse by closing the connection.
   *
   * @throws LinkClosedError if the other side closes the connection before, Error if it is lost or ended otherwise
   */
  subscribe(topics: readonly string[]): Promise<string[]>
  unsubscribe(topic: string): void
  /** Nothing is called after that. */
  end(): void
}

export interface LinkOptions {
  url: string
  token: RealtimeToken
  keepaliveSeconds: number
  /** For an answer of the broker, in milliseconds. */
  timeoutMs: number
  onMessage(topic: string, payload: Uint8Array): void
  /** Called once after it was open, with the reason, unless it was ended by `end`. */
  onLost(reason: Error): void
}

/** @throws RealtimeError `TOKEN_REFUSED` or `CONNECTION_FAILED` */
export type OpenLink = (options: LinkOptions, signal: AbortSignal) => Promise<Link>
