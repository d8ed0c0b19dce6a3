import { setMaxListeners } from 'node:events'
import type { BrokerConfig } from '@mono/rascal-config'
import { settleWithin, untilAborted } from '@mono/waiting'
import type { ConsumeMessage } from 'amqplib'
import rascal, { type Broker } from 'rascal'

export interface OpenRascalBrokerOptions {
  /** Rascal completes the object that it is given in place, so each broker gets a fresh one. */
  createConfig(signal: AbortSignal): BrokerConfig
  /** For connecting and declaring. */
  timeoutMs: number
  signal: AbortSignal
}

const shutdownTimeoutMs = 1_000

/**
 * One broker of rascal's, from its opening to the loss of its connection. Three things keep rascal from emitting an error
 * that nobody listens to, which would end the process:
 *
 * - It does not connect again by itself; whoever needs a connection opens another broker.
 * - It has a single connection. With several, one may break while the next is being made, before rascal hands out what
 *   can be listened to.
 * - It is listened to in the very turn in which rascal hands it out.
 */
export class RascalBroker {
  readonly #broker: Broker
  readonly #lost = new AbortController()
  readonly #destroySocket: () => void
  #blocked = false
  #closing: Promise<void> | undefined

  private constructor(broker: Broker, destroySocket: () => void) {
    this.#broker = broker
    this.#destroySocket = destroySocket
    // Every copy that is not confirmed listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#lost.signal)
    broker.on('error', (error) => this.#onLost(error))
    broker.on('disconnect', () => this.#onLost(new Error('The connection was closed.')))
    broker.on('blocked', () => {
      this.#blocked = true
    })
    broker.on('unblocked', () => {
      this.#blocked = false
    })
  }

  /** @throws Error of the broker or the network, or when the time is up; what was begun is undone then */
  static async open({ createConfig, timeoutMs, signal }: OpenRascalBrokerOptions): Promise<RascalBroker> {
    signal.throwIfAborted()
    const socket = new AbortController()
    // Not in the same turn: amqplib may just have succeeded, and nobody listens yet.
    const destroySocket = () => void setImmediate(() => socket.abort())
    const opening = RascalBroker.#create(createConfig(socket.signal), destroySocket)
    const createError = () => new Error(`Rascal has not declared the topology within ${timeoutMs} ms.`)
    try {
      return await settleWithin(opening, { ms: timeoutMs, signal, createError })
    } catch (error) {
      destroySocket()
      // Rascal may finish it after all.
      opening.then(
        (broker) => broker.close(),
        () => {},
      )
      throw error
    }
  }

  static #create(config: BrokerConfig, destroySocket: () => void): Promise<RascalBroker> {
    return new Promise((resolve, reject) => {
      rascal.createBroker(config, (error, broker) => {
        const made = broker && new RascalBroker(broker, destroySocket)
        if (!error && made) return resolve(made)
        if (made) made.#leave()
        reject(error)
      })
    })
  }

  /** Aborted when the connection is lost, or the broker is closed. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** The broker is low on memory or disk, and takes no copy. */
  get blocked(): boolean {
    return this.#blocked
  }

  /**
   * Resolves when the copy is in a queue.
   *
   * @throws Error if the broker has not confirmed it, no queue took it, or the connection was lost
   */
  async forward(publication: string, message: ConsumeMessage): Promise<void> {
    const outcome = new Promise<void>((resolve, reject) => {
      this.#broker.forward(publication, message, { restoreRoutingHeaders: false }, (error, session) => {
        if (error) return reject(error)
        session?.on('return', () => reject(new Error(`No queue took the copy for ${publication}.`)))
        session?.on('success', resolve)
        session?.on('error', reject)
      })
    })
    // Rascal keeps a copy that waits for a channel when its connection is gone.
    try {
      await untilAborted(outcome, this.lost)
    } catch (error) {
      // With the connection its channels end first; rascal tells of the connection in the next turn.
      await new Promise((resolve) => setImmediate(resolve))
      throw error
    }
  }

  /** Says goodbye, for a second at most. Once: rascal throws outside of any promise when it is shut down a second time. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const down = new Promise<void>((resolve) => this.#broker.shutdown(() => resolve()))
    const createError = () => new Error('Rascal has not shut down in time.')
    await settleWithin(down, { ms: shutdownTimeoutMs, createError }).catch(() => {})
    this.#onLost(new Error('The broker was closed.'))
  }

  #onLost(error: Error): void {
    if (this.lost.aborted) return
    this.#lost.abort(error)
    this.#leave()
  }

  /** Rascal waits for ever for a peer that does not answer, and keeps the process running meanwhile. */
  #leave(): void {
    clearInterval(this.#broker.keepActive)
    this.#destroySocket()
  }
}
