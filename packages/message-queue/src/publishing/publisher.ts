import { settleWithin } from '@mono/waiting'
import type { Channel } from 'amqplib'
import {
  BrokerConnection,
  type ConnectionLimits,
  type ConnectionState,
  connectionLimits,
} from '../connection/broker-connection.js'
import { toBrokerEndpoint } from '../connection/broker-endpoint.js'
import { useChannel } from '../connection/use-channel.js'
import { QueueUnavailableError } from '../errors/publish-errors.js'
import { createNotSentError } from '../errors/publish-failures.js'
import type { OutgoingMessage } from './outgoing-message.js'
import { PendingMessage } from './pending-message.js'
import { PublishAborts } from './publish-aborts.js'
import { PublishDeadlines } from './publish-deadlines.js'
import { PublishLane } from './publish-lane.js'
import type { ResolvedPublisherOptions } from './publisher-options.js'

export interface ConnectOptions {
  /** Default: the publisher's. Infinity: no limit. */
  deadlineMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface Publisher {
  readonly state: ConnectionState
  /** The broker takes nothing at present: it is low on memory or disk. An idle connection is not told of it. */
  readonly blocked: boolean
  /** The connection is open and not blocked. */
  readonly connected: boolean
  /** Sent and not confirmed; a message that timed out is counted until the broker answers for it after all. */
  readonly inFlight: number
  /** Waiting to be sent, for the first time or again. */
  readonly buffered: number
  /** Of the connection. Kept when it is back. */
  readonly lastError: Error | undefined
  /**
   * Resolves when the connection is open. It goes on trying also after this has failed.
   *
   * @throws QueueUnavailableError when the deadline has come, or the publisher is closed
   */
  connect(options?: ConnectOptions): Promise<void>
  /**
   * Resolves when the broker has confirmed the message and, if it is mandatory, routed it. Connects on first use.
   * Settles at the deadline at the latest.
   *
   * @throws QueueUnavailableError if it certainly was not published: deadline, buffer full, or closed
   * @throws PublishForbiddenError if the user may not publish it
   * @throws QueueFullError if the broker refused it
   * @throws UnroutableMessageError if no queue takes it, or its exchange does not exist
   * @throws PublishTimeoutError if it was sent and nobody knows the outcome
   * @throws InvalidMessageError if AMQP cannot carry its properties, or the broker does not take it for what it is
   * @throws RangeError if `deadlineMs` is not above 0
   */
  publish(message: OutgoingMessage): Promise<void>
  /**
   * A plain channel on this connection, closed afterwards. Whatever goes wrong on it leaves the publishing alone.
   *
   * @throws QueueUnavailableError if there is no connection within the publisher's deadline, or `use` is not done within
   * `deadlineMs`, by default the same
   */
  withChannel<T>(use: (channel: Channel) => Promise<T>, options?: { deadlineMs?: number }): Promise<T>
  /** Takes no more, waits until all that was taken is settled (each has its deadline), closes. */
  drain(): Promise<void>
  /** Now: rejects what is not settled, closes. */
  close(): Promise<void>
}

/**
 * Publishes over a connection of its own, which the broker may block without holding up anybody's acks.
 *
 * @throws RangeError if a URL is no AMQP URL
 */
export function createPublisher(options: ResolvedPublisherOptions, limits: Partial<ConnectionLimits> = {}): Publisher {
  return new ConfirmingPublisher(options, { ...connectionLimits, ...limits })
}

/**
 * - `open`: takes messages. The connection is made on first use.
 * - `draining`: takes none; those taken before go their way.
 * - `closed`: takes none and holds none.
 */
type Mode = 'open' | 'draining' | 'closed'

class ConfirmingPublisher implements Publisher {
  readonly #options: ResolvedPublisherOptions
  readonly #connection: BrokerConnection
  readonly #vhost: string
  readonly #user: string
  readonly #lanes = new Map<string, PublishLane>()
  readonly #deadlines = new PublishDeadlines({ expire: (now) => this.#expire(now) })
  readonly #aborts = new PublishAborts()
  #mode: Mode = 'open'
  #unsettled = 0
  #onNoneUnsettled: (() => void) | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedPublisherOptions, limits: ConnectionLimits) {
    const endpoints = options.urls.map((url) => toBrokerEndpoint(url, options))
    this.#options = options
    this.#vhost = endpoints[0]?.vhost ?? ''
    this.#user = endpoints[0]?.user ?? ''
    const { connectionName, logger } = options
    const onSendable = () => this.#pumpLanes()
    this.#connection = new BrokerConnection({ endpoints, connectionName, logger, onSendable, ...limits })
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  get blocked(): boolean {
    return this.#connection.blocked
  }

  get connected(): boolean {
    return this.#connection.connected
  }

  get inFlight(): number {
    return this.#sum('inFlight')
  }

  get buffered(): number {
    return this.#sum('buffered')
  }

  get lastError(): Error | undefined {
    return this.#connection.lastError
  }

  async connect({ deadlineMs = this.#options.deadlineMs, signal }: ConnectOptions = {}): Promise<void> {
    this.#assertOpen()
    signal?.throwIfAborted()
    this.#connection.start()
    const createError = () => this.#createNoConnectionError(deadlineMs)
    await this.#connection.whenOpen({ ms: deadlineMs, signal, createError })
  }

  publish(message: OutgoingMessage): Promise<void> {
    const { signal, deadlineMs, body } = message
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#mode !== 'open') return Promise.reject(this.#refuse(message, 'closed', `the client is ${this.#mode}`))
    if (!(deadlineMs > 0)) {
      return Promise.reject(new RangeError(`deadlineMs: expected milliseconds above 0, found ${deadlineMs}`))
    }
    const lane = this.#laneOf(message.exchange)
    if (!lane.isClear && this.#isBufferFull(body.length)) {
      const why = `${this.buffered} messages (${this.#sum('bufferedBytes')} bytes) wait to be sent, which is the limit`
      return Promise.reject(this.#refuse(message, 'buffer-full', why))
    }
    return new Promise((resolve, reject) => this.#accept(lane, message, resolve, reject))
  }

  async withChannel<T>(
    use: (channel: Channel) => Promise<T>,
    { deadlineMs: ms = this.#options.deadlineMs }: { deadlineMs?: number } = {},
  ): Promise<T> {
    await this.connect()
    const { model } = this.#connection
    if (!model) throw this.#createNoConnectionError(ms)
    const createError = () => {
      const obstacle = this.#connection.describeObstacle() ?? 'the broker has not answered'
      return new QueueUnavailableError(`A channel was not of use within ${ms} ms, because ${obstacle}.`, {
        reason: this.#mode === 'closed' ? 'closed' : 'deadline',
      })
    }
    return await settleWithin(useChannel(model, use), { ms, createError })
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #drain(): Promise<void> {
    if (this.#mode === 'open') this.#mode = 'draining'
    if (this.#unsettled > 0) {
      await new Promise<void>((resolve) => {
        this.#onNoneUnsettled = resolve
      })
    }
    await this.close()
  }

  async #close(): Promise<void> {
    this.#mode = 'closed'
    for (const lane of this.#lanes.values()) lane.rejectAll()
    this.#deadlines.stop()
    await this.#connection.close()
  }

  #accept(lane: PublishLane, message: OutgoingMessage, resolve: () => void, reject: (reason: unknown) => void): void {
    const deadlineAt = performance.now() + message.deadlineMs
    const pending = new PendingMessage(message, deadlineAt, { resolve, reject, onSettled: this.#onSettled })
    this.#unsettled += 1
    if (message.signal) this.#aborts.add(message.signal, pending)
    this.#deadlines.watch(deadlineAt)
    this.#connection.start()
    lane.add(pending)
  }

  readonly #onSettled = (pending: PendingMessage): void => {
    const { signal } = pending.message
    if (signal) this.#aborts.remove(signal, pending)
    this.#unsettled -= 1
    if (this.#unsettled === 0) this.#onNoneUnsettled?.()
  }

  #laneOf(exchange: string): PublishLane {
    const known = this.#lanes.get(exchange)
    if (known) return known
    const { maxInFlight, maxBufferedBytes: maxInFlightBytes, logger } = this.#options
    const limits = { maxInFlight, maxInFlightBytes }
    const [vhost, user, connection] = [this.#vhost, this.#user, this.#connection]
    const lane = new PublishLane({ exchange, vhost, user, connection, limits, logger })
    this.#lanes.set(exchange, lane)
    return lane
  }

  #isBufferFull(bytes: number): boolean {
    const { maxBufferedMessages, maxBufferedBytes } = this.#options
    return this.buffered >= maxBufferedMessages || this.#sum('bufferedBytes') + bytes > maxBufferedBytes
  }

  #pumpLanes(): void {
    for (const lane of this.#lanes.values()) lane.pump()
  }

  #expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) earliest = Math.min(earliest, lane.expire(now))
    return earliest
  }

  #sum(figure: 'inFlight' | 'buffered' | 'bufferedBytes'): number {
    let sum = 0
    for (const lane of this.#lanes.values()) sum += lane[figure]
    return sum
  }

  #assertOpen(): void {
    if (this.#mode === 'open') return
    throw new QueueUnavailableError(`The client is ${this.#mode} and connects no more.`, { reason: 'closed' })
  }

  #createNoConnectionError(deadlineMs: number): Error {
    const cause = this.#connection.presentError
    const reason = this.#mode === 'closed' ? 'closed' : 'deadline'
    const why = this.#connection.describeObstacle() ?? 'the connection was lost again'
    return new QueueUnavailableError(`Not connected within ${deadlineMs} ms, because ${why}.`, {
      reason,
      ...(cause && { cause }),
    })
  }

  #refuse(message: OutgoingMessage, reason: 'buffer-full' | 'closed', why: string): Error {
    return createNotSentError(message, { reason, why, cause: this.#connection.presentError })
  }
}
