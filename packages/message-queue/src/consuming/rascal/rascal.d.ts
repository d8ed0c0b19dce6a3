/**
 * The part of rascal 21 that is used here. The published `@types/rascal` describe version 10.
 */
declare module 'rascal' {
  import type { EventEmitter } from 'node:events'
  import type { ConsumeMessage } from 'amqplib'

  /** One message on its way. An unroutable one is returned first and then also succeeds. */
  export interface PublicationSession extends EventEmitter {
    on(event: 'success' | 'return', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  export interface Broker extends EventEmitter {
    /** Rascal's own; keeps the process running until a shutdown is complete. */
    keepActive: NodeJS.Timeout
    /** `error` also tells of a lost connection, `disconnect` of nothing else. */
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'disconnect' | 'blocked' | 'unblocked', listener: () => void): this
    forward(
      publication: string,
      message: ConsumeMessage,
      overrides: object,
      done: (error: Error | null, session?: PublicationSession) => void,
    ): void
    shutdown(done: (error?: Error) => void): void
  }

  /** With an error there may be a broker too, which could not be finished. */
  type CreateBroker = (config: object, done: (error: Error | null, broker?: Broker) => void) => void

  const rascal: { createBroker: CreateBroker }
  export default rascal
}
