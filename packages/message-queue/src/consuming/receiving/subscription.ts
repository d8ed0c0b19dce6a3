import { backoffMs, settleWithin, sleep, toError } from '@mono/waiting'
import { type ChannelModel, IllegalOperationError } from 'amqplib'
import { BrokerConnection, connectionLimits } from '../../connection/broker-connection.js'
import { toBrokerEndpoint } from '../../connection/broker-endpoint.js'
import { OutageLog } from '../../connection/outage-log.js'
import { reconnectBackoff } from '../../connection/reconnect-backoff.js'
import { UnreadableFrameError } from '../../connection/unreadable-frame-error.js'
import { useChannel } from '../../connection/use-channel.js'
import { MigrationPendingError } from '../../errors/migration-pending-error.js'
import { TopologyMismatchError } from '../../errors/topology-mismatch-error.js'
import { type Logger, silentLogger } from '../../logger.js'
import { ConsumerChannel, type ConsumerChannelOptions } from './consumer-channel.js'

export interface SubscriptionOptions {
  queue: string
  urls: readonly string[]
  /** Unique in this process. */
  connectionName: string
  /** Names the replica in the broker's list of consumers. */
  consumerName: string
  logger: Logger
  /** Deliveries at a time, until `setPrefetch`; 0: none. */
  prefetch: number
  /**
   * How the consumer stops taking, or takes with another prefetch:
   * - `cancel`: its registration is cancelled, and what is in flight can be settled after that
   * - `close`: its channel is closed, which gives back what is in flight. For a single active consumer: on a cancel the
   *   broker makes the next one active at once, while this one still holds what comes first.
   */
  leaving: 'cancel' | 'close'
  heartbeatSeconds: number
  /**
   * Declares the queue and what belongs to it.
   *
   * @throws TopologyMismatchError if it exists with other arguments
   * @throws MigrationPendingError if it may not be consumed yet
   */
  declare(broker: DeclaringBroker): Promise<void>
  listener: SubscriptionListener
}

export interface DeclaringBroker {
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
  /** Whether there is a queue of this name that the user may see. @throws Error if there is no connection, or no answer in time */
  hasQueue(name: string): Promise<boolean>
}

export interface SubscriptionListener {
  onDelivery: ConsumerChannelOptions['onDelivery']
  onRegistered(): void
  /** The broker has cancelled the consumer, whose channel is open: what is in flight can be settled. */
  onCancelled(): void
  /** The channel is closed: the broker delivers again whatever was in flight on it. */
  onLost(loss: { isUnreadable: boolean }): void
}

const closeTimeoutMs = 3_000
/** For a question to a broker that has an open connection. Longer than a broker under load takes. */
const answerTimeoutMs = 10_000
/** A connection that was lost sooner than this after the registration has proven nothing. */
const steadyMs = 3_000
const probation = { first: 500, max: 2_000, random: () => 1 }
const accessRefused = 403
const notFound = 404

/**
 * Keeps one consumer registered at the broker until it is ended, over every loss of its connection, channel or queue.
 *
 * One loop owns every step: the connection, which comes back by itself; the topology, at the first time and whenever the
 * queue is missing; a probation, if the last connection did not last; the channel with its registration; and the wait for
 * its end. A step that fails ends its turn of the loop, each has a time limit, and the next turn begins with the first
 * step. The registration alone has no limit here; see `watchForStall`.
 *
 * On probation a connection must last for a while before it is consumed on: each loss counts as a death of the messages
 * in flight, and a network that cuts every connection after a moment would use up their delivery limit.
 */
export class Subscription {
  readonly #options: SubscriptionOptions
  readonly #connection: BrokerConnection
  readonly #outage: OutageLog
  readonly #stop = new AbortController()
  #channel: ConsumerChannel | undefined
  #prefetch: number
  #isDeclared = false
  #mustDeclare = true
  #isEnding = false
  /** Aborted when deliveries are wanted again, or never will be. */
  #wanted = new AbortController()
  #shortLives = 0
  #attempts = 0
  #presentError: Error | undefined
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: SubscriptionOptions) {
    const { connectionName, heartbeatSeconds, logger, urls } = options
    this.#options = options
    this.#prefetch = options.prefetch
    this.#outage = new OutageLog(logger, {
      begun: 'The consumer cannot consume; it will keep retrying',
      over: 'The consumer can consume again',
    })
    this.#connection = new BrokerConnection({
      endpoints: rotate(urls).map((url) => toBrokerEndpoint(url, { heartbeatSeconds })),
      connectionName,
      // Its outage is the consumer's, and told by that.
      logger: silentLogger,
      onUnavailable: (error) => this.#onFailure(error),
      ...connectionLimits,
    })
  }

  /**
   * Resolves when it is closed.
   *
   * @throws TopologyMismatchError, if the queue exists with other arguments at the start
   * @throws MigrationPendingError, if it may not be consumed at the start
   */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /** For what is delivered from now on, on this channel and those to come; 0: nothing is. */
  setPrefetch(prefetch: number): void {
    if (this.#isEnding) return
    this.#prefetch = prefetch
    if (prefetch > 0) this.#wanted.abort()
    if (this.#options.leaving === 'cancel') this.#channel?.setPrefetch(prefetch)
    else if (this.#channel !== undefined && this.#channel.prefetch !== prefetch) void this.#channel.close()
  }

  /** Registers the consumer again. */
  renew(): void {
    if (this.#options.leaving === 'cancel') this.#channel?.renew()
    else void this.#channel?.close()
  }

  /** The broker has said that the consumer is registered, and not taken it back. */
  get isRegistered(): boolean {
    return this.#channel?.isRegistered ?? false
  }

  /** Why it does not consume; undefined while it does, or has not been hindered. */
  get presentError(): Error | undefined {
    return this.#presentError
  }

  /** Its connection is open and not blocked. */
  get connected(): boolean {
    return this.#connection.connected
  }

  /** Whether the broker has answered that the consumer is registered as wanted, or is not if nothing is to be taken. */
  get isSettled(): boolean {
    return this.#channel?.isSettled ?? (this.#options.leaving === 'close' && this.#prefetch === 0)
  }

  /** How often a step was begun. */
  get attempts(): number {
    return this.#attempts
  }

  /** Begins again with the connection, if there is one. */
  restart(error: Error): void {
    const { model } = this.#connection
    if (model) this.#connection.reset(model, error)
  }

  /** Messages that are ready in the queue. @throws Error if there is no connection, or no answer in time */
  async countWaiting(): Promise<number> {
    return await this.#countReady(this.#options.queue)
  }

  async #countReady(queue: string): Promise<number> {
    const { model } = this.#connection
    if (!model) throw new Error('There is no connection to ask on.')
    const counted = useChannel(model, (channel) => channel.checkQueue(queue))
    return (await this.#answered(model, counted)).messageCount
  }

  async #hasQueue(name: string): Promise<boolean> {
    try {
      await this.#countReady(name)
      return true
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === notFound || code === accessRefused) return false
      throw error
    }
  }

  /** Asks for no more deliveries; with `leaving: 'close'` they come until `close`. What is in flight can still be settled. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#prefetch = 0
    this.#wanted.abort()
    if (this.#options.leaving === 'cancel') await this.#channel?.end()
  }

  /** Deliveries that are not settled by now go back to the queue with their channel. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop.abort(new Error('The consumer was closed.'))
    const closed = this.#channel?.close() ?? Promise.resolve()
    const createError = () => new Error('The broker has not closed the channel in time.')
    await settleWithin(closed, { ms: closeTimeoutMs, createError }).catch(() => {})
    await this.#connection.close()
    await this.#running?.catch(() => {})
  }

  async #run(): Promise<void> {
    this.#connection.start()
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted && !this.#isEnding; failures += 1) {
      try {
        if (await this.#consume()) failures = 0
      } catch (error) {
        if (needsPerson(error) && !this.#isDeclared) throw error
        this.#onFailure(toError(error))
      }
      // A lost connection pauses by itself.
      if (this.#connection.model) await sleep(backoffMs(failures + 1, reconnectBackoff), signal)
    }
  }

  /** All steps, once. @returns whether it lasted */
  async #consume(): Promise<boolean> {
    const model = await this.#connected()
    const { ended } = this.#connection
    if (this.#mustDeclare) await this.#declare()
    if (this.#shortLives > 0) await sleep(backoffMs(this.#shortLives, probation), ended)
    await this.#untilWanted(ended)
    this.#stop.signal.throwIfAborted()
    if (this.#isEnding) return true
    if (this.#connection.model !== model) throw new Error('The connection was lost before it was consumed on.')
    const channel = await this.#openChannel(model)
    const openedAt = performance.now()
    await sleep(Number.POSITIVE_INFINITY, channel.closed)
    const lasted = performance.now() - openedAt > steadyMs
    const lost = this.#connection.model === model ? undefined : this.#connection.lastError
    this.#shortLives = lost && !lasted && !(lost instanceof UnreadableFrameError) ? this.#shortLives + 1 : 0
    return lasted
  }

  /** With `leaving: 'close'` a channel that takes nothing is of no use. */
  async #untilWanted(ended: AbortSignal | undefined): Promise<void> {
    if (this.#options.leaving === 'cancel' || this.#prefetch > 0) return
    this.#outage.over()
    this.#wanted = new AbortController()
    const signals = [this.#wanted.signal, this.#stop.signal, ...(ended ? [ended] : [])]
    await sleep(Number.POSITIVE_INFINITY, AbortSignal.any(signals))
  }

  async #connected(): Promise<ChannelModel> {
    const createError = () => new Error('The connection was lost again.')
    await this.#connection.whenOpen({ ms: Number.POSITIVE_INFINITY, signal: this.#stop.signal, createError })
    const { model } = this.#connection
    if (!model) throw createError()
    return model
  }

  async #declare(): Promise<void> {
    this.#attempts += 1
    await this.#options.declare({ signal: this.#stop.signal, hasQueue: (name) => this.#hasQueue(name) })
    this.#mustDeclare = false
    this.#isDeclared = true
  }

  async #openChannel(model: ChannelModel): Promise<ConsumerChannel> {
    this.#attempts += 1
    const { queue, consumerName } = this.#options
    const opening = ConsumerChannel.open({
      model,
      queue,
      consumerName,
      prefetch: this.#prefetch,
      batchWrites: () => this.#connection.batchWrites(),
      onDelivery: this.#options.listener.onDelivery,
      onRegistered: () => this.#onRegistered(),
      onCancelled: (channel) => void this.#onCancelled(channel),
      onClosed: (channel, error) => this.#onClosed(channel, error),
    })
    const channel = await this.#answered(model, opening)
    // The prefetch may have changed, and the connection may have ended, while it was opened.
    if (this.#options.leaving === 'cancel') channel.setPrefetch(this.#prefetch)
    if (this.#connection.model !== model) throw new Error('The connection was lost while a channel was opened.')
    this.#channel = channel
    if (this.#prefetch === 0) this.#outage.over()
    if (channel.prefetch !== this.#prefetch) void channel.close()
    return channel
  }

  /** A peer that does not answer in time is left: the connection is made again. */
  async #answered<T>(model: ChannelModel, answer: Promise<T>): Promise<T> {
    const createError = () => {
      const error = new Error(`The broker did not answer within ${answerTimeoutMs} ms.`)
      this.#connection.reset(model, error)
      return error
    }
    try {
      return await settleWithin(answer, { ms: answerTimeoutMs, createError })
    } catch (error) {
      // amqplib may hand out a connection that has ended already.
      if (error instanceof IllegalOperationError) this.#connection.reset(model, error)
      throw error
    }
  }

  #onRegistered(): void {
    this.#outage.over()
    this.#presentError = undefined
    this.#options.listener.onRegistered()
  }

  #onClosed(channel: ConsumerChannel, error: (Error & { code?: unknown }) | undefined): void {
    if (this.#channel === channel) this.#channel = undefined
    if (error) this.#onFailure(error)
    if (error?.code === notFound) this.#mustDeclare = true
    this.#options.listener.onLost({ isUnreadable: this.#connection.presentError instanceof UnreadableFrameError })
  }

  /** The queue was deleted, or its leader is gone: what is in flight can still be settled on this channel. */
  async #onCancelled(channel: ConsumerChannel): Promise<void> {
    this.#onFailure(new Error('The broker has cancelled the consumer.'))
    this.#options.listener.onCancelled()
    if (this.#options.leaving === 'close') {
      this.#mustDeclare = true
      return channel.close()
    }
    for (let failures = 1; !channel.closed.aborted && !this.#stop.signal.aborted; failures += 1) {
      try {
        await this.#declare()
        return channel.readmit()
      } catch (error) {
        this.#onFailure(toError(error))
      }
      await sleep(backoffMs(failures, reconnectBackoff), channel.closed)
    }
  }

  #onFailure(error: Error): void {
    if (this.#stop.signal.aborted || this.#isEnding) return
    this.#presentError = error
    this.#outage.failed(error)
  }
}

/** It is no use to try again. */
function needsPerson(error: unknown): boolean {
  return error instanceof TopologyMismatchError || error instanceof MigrationPendingError
}

/** Begins with one at random, so that the consumers of a cluster do not all go to its first node. */
function rotate(urls: readonly string[]): string[] {
  const first = Math.floor(Math.random() * urls.length)
  return [...urls.slice(first), ...urls.slice(0, first)]
}
