import { setTimeout as sleep } from 'node:timers/promises'
import type { BrokerConfig } from '@mono/rascal-config'
import rascal, { type BrokerAsPromised, type MessageListener, type SubscriberSession } from 'rascal'
import type { Logger } from '../logger.js'
import { attachTap, closeConnections, detachTap, type OpenConsumer, type RascalTap } from './rascal-tap.js'
import { toTopologyMismatchError } from './topology-mismatch-error.js'

export interface BrokerLinkOptions {
  /** Unique in this process: it tells this link's connections from others. */
  connectionName: string
  subscription: string
  /** Rascal completes the object that it is given in place, so each connect gets a fresh one. */
  createConfig(connectionName: string): BrokerConfig
  logger: Logger
  /** Deliveries taken at a time, until `setPrefetch`. */
  prefetch: number
  onMessage: MessageListener
  onConsuming(): void
  /** The broker has cancelled the consumer, whose channel is still open. */
  onCancelled(): void
  /** The channel is closed: what was in hand on it is delivered again. */
  onLost(): void
}

const minBackoffMs = 100
const maxBackoffMs = 3_000
const closeTimeoutMs = 3_000
/** For a question to a broker that has an open connection. Longer than a broker under load takes. */
const answerTimeoutMs = 10_000
const notFound = 404
/** AMQP 0-9-1: an operator closes the connection, or the broker stops. */
const connectionForced = 320

interface FailedAttempt {
  broker: BrokerAsPromised
  session: SubscriberSession
  redeclared: Promise<void>
  backoffMs: number
}

/** Of a connection that only declares. */
const noConsumer: RascalTap = { prefetch: () => 0, onChannel() {}, onConsuming() {}, onCancelled() {}, onLost() {} }

/**
 * One rascal broker and its subscription: made as soon as the broker answers, and kept. Rascal reconnects and
 * subscribes again by itself when a channel closes; what it never does is declare a queue again that was deleted under
 * its consumer. A consumer that the broker cancels is registered again here, because rascal would wait with that until
 * nothing is in hand, and for ever if the connection breaks meanwhile.
 */
export class BrokerLink {
  readonly #options: BrokerLinkOptions
  readonly #closing = new AbortController()
  #broker: BrokerAsPromised | undefined
  #session: SubscriberSession | undefined
  #opening: Promise<void> | undefined
  #redeclaring: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #consumer: OpenConsumer | undefined
  #isCancelled = false
  #prefetch: number
  /** What is missing: the broker as a whole, one of rascal's connections, the consumer. */
  readonly #missing = new Set<string>()
  /** What has been logged of the outage that lasts. */
  readonly #logged = new Set<string>()

  constructor(options: BrokerLinkOptions) {
    this.#options = options
    this.#prefetch = options.prefetch
    attachTap(options.connectionName, {
      prefetch: () => this.#prefetch,
      onChannel: (consumer) => {
        this.#consumer = consumer
        if (this.#prefetch === 0) this.#found('consumer')
      },
      onConsuming: () => {
        this.#found('consumer')
        options.onConsuming()
      },
      onCancelled: () => this.#onCancelled(),
      onLost: () => {
        this.#consumer = undefined
        this.#missing.add('consumer')
        options.onLost()
      },
    })
  }

  /**
   * Resolves when the topology is declared and the consumer asked for, or when the link was closed meanwhile.
   * @throws TopologyMismatchError
   */
  open(): Promise<void> {
    this.#opening = this.#open()
    return this.#opening
  }

  /** For what is delivered from now on, on this channel and those to come; 0: nothing is. */
  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch
    this.#consumer?.setPrefetch(prefetch)
  }

  /** Registers the consumer again, on the same channel. */
  renew(): void {
    this.#consumer?.renew()
  }

  /** @throws Error if there is no channel, or no answer in time; then the connection is closed, and rascal connects anew */
  async countWaiting(): Promise<number> {
    const count = this.#consumer?.countWaiting()
    if (count === undefined) throw new Error('There is no channel to ask on.')
    const giveUp = new AbortController()
    const timeUp = sleep(answerTimeoutMs, undefined, { signal: giveUp.signal }).then(
      () => this.#leavePeer(),
      () => 0,
    )
    return await Promise.race([count, timeUp]).finally(() => giveUp.abort())
  }

  async #leavePeer(): Promise<never> {
    await closeConnections(this.#options.connectionName)
    throw new Error(`The broker did not answer within ${answerTimeoutMs} ms.`)
  }

  /** Takes no more deliveries. What is in hand can still be settled; rascal waits for that, and for an absent broker. */
  cancel(): void {
    this.#isCancelled = true
    this.#session?.cancel().catch((error: Error) => this.#miss('consumer', error))
  }

  /** Deliveries that are not settled by now go back to the queue with their channel. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #open(): Promise<void> {
    this.#broker = await this.#connect()
    if (this.#broker === undefined || this.#closing.signal.aborted) return
    this.#found('broker')
    this.#broker.on('error', (error: Error, connection) => this.#miss(connection?.vhost ?? 'broker', error))
    this.#broker.on('close', ({ vhost }) => this.#miss(vhost, new Error('The broker has closed the connection')))
    this.#broker.on('vhost_initialised', ({ vhost }) => this.#found(vhost))
    await this.#subscribe(this.#broker, minBackoffMs)
  }

  /** Of a session, rascal tries again what fails later, but not the first attempt; then this begins another one. */
  async #subscribe(broker: BrokerAsPromised, backoffMs: number): Promise<void> {
    const session = await broker.subscribe(this.#options.subscription)
    let isFirstAttempt = true
    session.on('subscribed', () => {
      isFirstAttempt = false
    })
    session.on('error', (error) => {
      const redeclared = this.#onSessionError(error)
      if (!isFirstAttempt) return
      isFirstAttempt = false
      void this.#subscribeAgain({ broker, session, redeclared, backoffMs })
    })
    this.#session = session
    session.on('message', this.#options.onMessage)
  }

  async #subscribeAgain({ broker, session, redeclared, backoffMs }: FailedAttempt): Promise<void> {
    await redeclared
    // Where the channel's error comes before the answer, rascal does try again: what that gives must be gone first.
    await session.cancel().catch(() => {})
    await sleep(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => {})
    if (this.#closing.signal.aborted || this.#isCancelled) return
    await this.#subscribe(broker, nextBackoffMs(backoffMs))
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    const timeout = new AbortController()
    const timeUp = sleep(closeTimeoutMs, undefined, { signal: timeout.signal }).catch(() => {})
    await Promise.race([this.#shutDown(), timeUp])
    timeout.abort()
    await detachTap(this.#options.connectionName)
  }

  async #shutDown(): Promise<void> {
    await this.#opening?.catch(() => {}) // whoever opened it hears of it
    await this.#broker?.shutdown().catch((error: Error) => this.#miss('broker', error))
    await this.#redeclaring
  }

  async #connect(): Promise<BrokerAsPromised | undefined> {
    for (let backoffMs = minBackoffMs; !this.#closing.signal.aborted; backoffMs = nextBackoffMs(backoffMs)) {
      const broker = await this.#tryConnect()
      if (broker !== undefined) return broker
      await sleep(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => {})
    }
    return undefined
  }

  async #tryConnect(): Promise<BrokerAsPromised | undefined> {
    try {
      return await rascal.createBrokerAsPromised(this.#options.createConfig(this.#options.connectionName))
    } catch (error) {
      await discardHalfMadeBroker(error)
      await closeConnections(this.#options.connectionName)
      const mismatch = toTopologyMismatchError(error)
      if (mismatch !== undefined) throw mismatch
      this.#miss('broker', error as Error)
      return undefined
    }
  }

  #onSessionError(error: Error & { code?: number }): Promise<void> {
    this.#miss('consumer', error)
    return error.code === notFound ? this.#redeclare() : Promise.resolve()
  }

  #onCancelled(): void {
    this.#miss('consumer', new Error('The broker has cancelled the consumer'))
    this.#options.onCancelled()
    const consumer = this.#consumer
    void this.#redeclare().then(() => consumer?.advance())
  }

  /** A broker without a subscription declares the topology and goes; the next attempt to consume finds the queue. */
  #redeclare(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#redeclaring ??= this.#declareOnce().finally(() => {
      this.#redeclaring = undefined
    })
    return this.#redeclaring
  }

  async #declareOnce(): Promise<void> {
    const connectionName = `${this.#options.connectionName} declaring`
    attachTap(connectionName, noConsumer)
    try {
      const broker = await rascal.createBrokerAsPromised(this.#options.createConfig(connectionName))
      broker.on('error', () => {})
      await broker.shutdown()
    } catch (error) {
      await discardHalfMadeBroker(error)
      this.#miss('consumer', error as Error)
    } finally {
      await detachTap(connectionName)
    }
  }

  /**
   * One line when the broker goes, and one more if it then answers and refuses: not one for each attempt, which may fail
   * for another reason each time.
   */
  #miss(what: string, error: Error & { code?: unknown }): void {
    if (this.#closing.signal.aborted) return
    const { logger } = this.#options
    const kind = isRefusal(error) ? 'refused' : 'away'
    this.#missing.add(what)
    const message = 'The consumer cannot consume; it goes on trying'
    if (this.#logged.has(kind)) logger.debug({ err: error }, message)
    else logger.warn({ err: error }, message)
    this.#logged.add(kind)
  }

  #found(what: string): void {
    this.#missing.delete(what)
    if (this.#missing.size > 0 || this.#logged.size === 0) return
    this.#logged.clear()
    this.#options.logger.info({}, 'The consumer can consume again')
  }
}

function nextBackoffMs(backoffMs: number): number {
  return Math.min(backoffMs * 2, maxBackoffMs)
}

/** The broker is there and says no. Of a handshake amqplib tells it by its text only. */
function isRefusal({ code, message }: Error & { code?: unknown }): boolean {
  if (typeof code === 'number') return code !== connectionForced
  return /Handshake terminated by server|got <ConnectionClose/.test(message)
}

/** Rascal hands out the broker that it could not finish under a symbol of the error; its timer would keep the process. */
async function discardHalfMadeBroker(error: unknown): Promise<void> {
  const symbol = (error as { broker?: unknown } | null)?.broker
  if (typeof symbol !== 'symbol') return
  const half = (error as Record<symbol, BrokerAsPromised | undefined>)[symbol]
  half?.on('error', () => {})
  await half?.shutdown().catch(() => {})
}
