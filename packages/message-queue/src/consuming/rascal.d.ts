/**
 * The part of rascal 21 that is used here. The published `@types/rascal` describe version 10.
 */
declare module 'rascal' {
  import type { EventEmitter } from 'node:events'
  import type { ConsumeMessage } from 'amqplib'

  export interface Recovery {
    strategy: 'forward' | 'nack'
    /** `forward`: the publication to send the copy to. */
    publication?: string
    /** `forward`: drop the `x-death` header, without which RabbitMQ 3.10 may drop the copy as a cycle. */
    xDeathFix?: boolean
    restoreRoutingHeaders?: boolean
    /** `nack`: back to the queue, rather than to its dead-letter exchange. */
    requeue?: boolean
  }

  export interface AckOrNack {
    (done: (error?: Error) => void): void
    (error: Error, recovery: Recovery, done: (error?: Error) => void): void
  }

  export type MessageListener = (message: ConsumeMessage, content: unknown, ackOrNack: AckOrNack) => void

  /** Subscribes when the first `message` listener is added. */
  export interface SubscriberSession extends EventEmitter {
    on(event: 'message', listener: MessageListener): this
    on(event: 'error', listener: (error: Error & { code?: number }) => void): this
    /** The first attempt has succeeded. */
    on(event: 'subscribed', listener: () => void): this
    cancel(): Promise<void>
  }

  export interface BrokerAsPromised extends EventEmitter {
    on(event: 'error', listener: (error: Error, connection?: { vhost: string }) => void): this
    on(event: 'close' | 'vhost_initialised', listener: (connection: { vhost: string }) => void): this
    subscribe(name: string): Promise<SubscriberSession>
    shutdown(): Promise<void>
  }

  const rascal: { createBrokerAsPromised(config: object): Promise<BrokerAsPromised> }
  export default rascal
}
