/**
 * The part of rascal 21's configuration that is used here. `@types/rascal` describes version 10, and the object cannot
 * be checked against rascal itself, which has no types.
 */
export interface BrokerConfig {
  vhosts: Record<string, VhostConfig>
}

export interface VhostConfig {
  /** Tried in turn; the order is random per process unless `connectionStrategy` is `fixed`. */
  connections: ConnectionConfig[]
  defaults: { connection: { retry: false } }
  publicationChannelPools?: { confirmPool: ChannelPoolConfig }
  exchanges: Record<string, ExchangeConfig>
  queues: Record<string, QueueConfig>
  bindings: Record<string, BindingConfig>
  publications: Record<string, PublicationConfig>
}

export interface ConnectionConfig {
  url: string
  /** Become parameters of the URL's query; one that is in the URL already wins. */
  options: { heartbeat: number }
  /** Handed to amqplib's `connect` as they are. */
  socketOptions: {
    signal: AbortSignal
    /** Milliseconds for the connection to open, from the socket to the AMQP handshake. */
    timeout: number
    noDelay: boolean
    clientProperties: { connection_name: string }
    credentials?: Credentials
  }
}

/** What amqplib takes instead of the user and password of the URL: an answer to SASL `connection.start`. */
export interface Credentials {
  mechanism: 'PLAIN'
  response: () => Buffer
}

export interface ChannelPoolConfig {
  max: number
  /** Milliseconds; 0 waits without end. */
  acquireTimeoutMillis: number
  /** Milliseconds; 0 never looks for idle channels. */
  evictionRunIntervalMillis: number
}

export interface ExchangeConfig {
  type: 'topic'
  assert: boolean
  check: boolean
  options: { durable: boolean; arguments: Record<string, unknown> }
}

export interface QueueConfig {
  assert: boolean
  options: { durable: boolean; arguments: Record<string, string | number | boolean> }
}

export interface BindingConfig {
  source: string
  destination: string
  destinationType: 'queue'
  bindingKey: string
}

export interface PublicationConfig {
  exchange: string
  routingKey: string
  confirm: boolean
  /** Milliseconds to wait for the broker's confirm. */
  timeout: number
  options: { persistent: boolean; mandatory: boolean }
}
