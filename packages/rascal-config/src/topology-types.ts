/** An exchange, as AMQP 0-9-1 `exchange.declare` takes it. */
export interface ExchangeDefinition {
  name: string
  type: 'topic'
  durable: true
  arguments: Record<string, never>
}

/** Queue arguments in use here. RabbitMQ compares all of them when a queue is declared again. */
export interface QueueArguments {
  'x-queue-type': 'quorum'
  /** Milliseconds. */
  'x-message-ttl'?: number
  'x-max-length'?: number
  'x-overflow'?: 'reject-publish'
  'x-dead-letter-exchange'?: string
  'x-dead-letter-routing-key'?: string
  'x-dead-letter-strategy'?: 'at-least-once'
  'x-delivery-limit'?: number
  'x-single-active-consumer'?: true
}

/** A queue, as AMQP 0-9-1 `queue.declare` takes it. */
export interface QueueDefinition {
  name: string
  durable: true
  arguments: QueueArguments
}

/** A binding of a queue (`destination`) to an exchange (`source`). */
export interface BindingDefinition {
  source: string
  destination: string
  bindingKey: string
}

/** Exchanges, queues and bindings of one virtual host, which is not named. */
export interface Topology {
  exchanges: ExchangeDefinition[]
  queues: QueueDefinition[]
  bindings: BindingDefinition[]
}
