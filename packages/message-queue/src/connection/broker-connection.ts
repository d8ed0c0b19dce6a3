import { backoffMs, settleWithin, sleep, toError } from '@mono/waiting'
import type { ChannelModel } from 'amqplib'
import type { Logger } from '../logger.js'
import type { BrokerEndpoint } from './broker-endpoint.js'
import { isRefusal } from './is-refusal.js'
import { type ConnectToBroker, connectToBroker, type OpenedConnection, openConnection } from './open-connection.js'
import { reconnectBackoff } from './reconnect-backoff.js'
import { toConnectionError, UnreadableFrameError } from './unreadable-frame-error.js'

export type ConnectionState = 'idle' | 'connecting' | 'open' | 'closed'

export interface BrokerConnectionOptions extends ConnectionLimits {
  /** At least one; tried in turn. */
  endpoints: readonly BrokerEndpoint[]
  connectionName: string
  logger: Logger
  /** The connection is open and not blocked: it was not so before. */
  onSendable?: (() => void) | undefined
  /** An attempt has failed, or the connection was lost. Called for each. */
  onUnavailable?: ((error: Error) => void) | undefined
}

/** Limits that only tests set. */
export interface ConnectionLimits {
  connect: ConnectToBroker
  /** Less than a message's default deadline, so that one dead node of a cluster does not use it up. */
  connectTimeoutMs: number
  closeTimeoutMs: number
}

export const connectionLimits: ConnectionLimits = {
  connect: connectToBroker,
  connectTimeoutMs: 4_000,
  closeTimeoutMs: 2_000,
}

/**
 * One connection to the broker that comes back by itself.
 *
 * - `idle`: nobody has needed it yet; no socket, no timer. Left by `start`.
 * - `connecting`: one loop tries the endpoints in turn, pauses (100 ms doubling to 3 s) and tries again, for ever.
 *   Also the state after a loss.
 * - `open`: `model` is there. Left when the broker, the network, or `close` ends it.
 * - `closed`: for good; the loop has ended, socket and timers are gone when the promise of `close` resolves.
 *
 * `blocked` is a condition of an open connection: the broker is low on memory or disk and has stopped reading.
 * Invariant: `sendable` gives the model exactly when the connection is open and not blocked.
 */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions
  readonly #stop = new AbortController()
  readonly #waiters = new Set<() => void>()
  #state: ConnectionState = 'idle'
  #opened: OpenedConnection | undefined
  /** Ends the open connection, as its 'close' event would. */
  #endOpened: (error: Error) => void = () => {}
  #blockedReason: string | undefined
  #lastError: Error | undefined
  #failures = 0
  /** Since there was a connection, the broker has answered and refused. */
  #isRefused = false
  #nextEndpoint = 0
  #running: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: BrokerConnectionOptions) {
    this.#options = options
  }

  get state(): ConnectionState {
    return this.#state
  }

  get blocked(): boolean {
    return this.#blockedReason !== undefined
  }

  /** Kept when the connection is back. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  /** The same, while there is no connection. */
  get presentError(): Error | undefined {
    return this.model ? undefined : this.#lastError
  }

  get model(): ChannelModel | undefined {
    return this.#opened?.model
  }

  /** Open and not blocked; no longer from the call of `close`. */
  get connected(): boolean {
    return this.#state === 'open' && !this.blocked
  }

  /** Aborted when the open connection is lost or closed. */
  get ended(): AbortSignal | undefined {
    return this.#opened?.ended
  }

  get sendable(): ChannelModel | undefined {
    return this.blocked ? undefined : this.model
  }

  /** What is published in this turn of the event loop goes out together. */
  batchWrites(): void {
    this.#opened?.batch.begin()
  }

  /** Why nothing can be sent, as the end of a sentence; undefined if it can. */
  describeObstacle(): string | undefined {
    if (this.#state === 'idle' || this.#state === 'closed') return `the connection is ${this.#state}`
    if (this.blocked) return `the broker has blocked the connection (${this.#blockedReason})`
    if (this.model) return undefined
    const names = this.#options.endpoints.map(({ name }) => name).join(', ')
    const reason = this.#lastError ? `: ${this.#lastError.message}` : ', which has not answered yet'
    return `there is no connection to ${names}${reason}`
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'connecting'
    this.#running = this.#run()
  }

  /**
   * Resolves when the connection is open, blocked or not.
   *
   * @throws Error made by `createError` when the time is up or the connection is closed
   */
  async whenOpen(limit: { ms: number; signal?: AbortSignal | undefined; createError: () => Error }): Promise<void> {
    if (this.model) return
    let wake = () => {}
    const changed = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.#waiters.add(wake)
    try {
      if (this.#state !== 'closed') await settleWithin(changed, limit)
    } finally {
      this.#waiters.delete(wake)
    }
    if (!this.model) throw limit.createError()
  }

  /**
   * Leaves this connection and makes another: for who sees that it is of no use, though nothing has said that it ended.
   * amqplib may hand out one that has ended already, whose events are over. Without effect if it is not the open one.
   */
  reset(model: ChannelModel, error: Error): void {
    if (this.model === model) this.#endOpened(error)
  }

  /** Says goodbye to the broker, for `closeTimeoutMs` at most; then the socket is destroyed. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const opened = this.#opened
    this.#state = 'closed'
    this.#wakeWaiters()
    this.#stop.abort()
    if (opened) await this.#sayGoodbye(opened)
    // amqplib tells of no end when it has handed out a connection that had ended already.
    this.#endOpened(new Error('the connection was closed'))
    await this.#running
    this.#options.logger.info({}, 'Connection to the broker closed')
  }

  async #sayGoodbye({ model, destroy }: OpenedConnection): Promise<void> {
    const ms = this.#options.closeTimeoutMs
    try {
      await settleWithin(model.close(), { ms, createError: () => new Error(`no answer within ${ms} ms`) })
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'Connection to the broker closed without its answer')
    } finally {
      destroy()
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const opened = await this.#tryEachEndpoint()
      if (signal.aborted) return opened?.destroy()
      if (opened) await this.#stayOpen(opened)
      this.#failures += 1
      await sleep(backoffMs(this.#failures, reconnectBackoff), signal)
    }
  }

  async #tryEachEndpoint(): Promise<OpenedConnection | undefined> {
    for (let tries = 0; tries < this.#options.endpoints.length && !this.#stop.signal.aborted; tries++) {
      const endpoint = this.#takeEndpoint()
      try {
        const opened = await this.#open(endpoint)
        this.#options.logger.info({ broker: endpoint.name }, 'Connected to the broker')
        return opened
      } catch (error) {
        this.#onAttemptFailed(endpoint, toError(error))
      }
    }
    return undefined
  }

  #takeEndpoint(): BrokerEndpoint {
    const { endpoints } = this.#options
    const endpoint = endpoints[this.#nextEndpoint % endpoints.length] as BrokerEndpoint
    this.#nextEndpoint += 1
    return endpoint
  }

  async #open(endpoint: BrokerEndpoint): Promise<OpenedConnection> {
    const { connectionName, connectTimeoutMs: timeoutMs, connect } = this.#options
    const { signal } = this.#stop
    const opened = await openConnection({ endpoint, connectionName, timeoutMs, signal, connect })
    // An 'error' event without a listener would end the process.
    opened.model.on('error', (error) => this.#onLost(opened, error))
    return opened
  }

  /** One line when the broker cannot be reached and one more if it then refuses, not one for each attempt. */
  #onAttemptFailed(endpoint: BrokerEndpoint, error: Error): void {
    if (this.#stop.signal.aborted) return
    const { logger } = this.#options
    const data = { broker: endpoint.name, err: error, failures: this.#failures }
    const isNew = this.#failures === 0 || (isRefusal(error) && !this.#isRefused)
    this.#isRefused ||= isRefusal(error)
    logger[isNew ? 'warn' : 'debug'](data, 'No connection to the broker; it will keep retrying')
    this.#lastError = error
    this.#options.onUnavailable?.(error)
  }

  /** From the opening to the end of the connection. */
  async #stayOpen(opened: OpenedConnection): Promise<void> {
    const { model } = opened
    const openedAt = performance.now()
    const closed = new Promise<void>((resolve) => {
      this.#endOpened = (error) => {
        this.#onLost(opened, error)
        resolve()
      }
      model.on('close', this.#endOpened)
    })
    model.on('blocked', (reason) => this.#onBlocked(opened, reason))
    model.on('unblocked', () => this.#onUnblocked(opened))
    this.#opened = opened
    this.#isRefused = false
    this.#state = 'open'
    this.#wakeWaiters()
    this.#options.onSendable?.()
    await closed
    // A connection that breaks as soon as it is made is no reason to start again with short pauses, unless the broker is
    // well and only what it sends cannot be read: that is over when it has been delivered often enough.
    const isWell = this.#lastError instanceof UnreadableFrameError
    if (isWell || performance.now() - openedAt > reconnectBackoff.max) this.#failures = 0
  }

  /** amqplib tells of one loss by 'error', 'close' or both; the first counts. */
  #onLost(opened: OpenedConnection, error: Error | undefined): void {
    // After the broker's or a socket's error nothing more will come; amqplib only half-closes the socket then. The
    // answer to the broker's close is written by the time this runs.
    setImmediate(opened.destroy)
    if (this.#opened !== opened) return
    this.#opened = undefined
    this.#blockedReason = undefined
    if (this.#state === 'closed') return
    this.#state = 'connecting'
    this.#lastError = toConnectionError(error ?? new Error('the connection was closed'))
    this.#options.logger.warn({ err: this.#lastError }, 'Lost the connection to the broker')
    this.#options.onUnavailable?.(this.#lastError)
  }

  #onBlocked(opened: OpenedConnection, reason: string): void {
    if (this.#opened !== opened) return
    this.#blockedReason = reason || 'no reason given'
    this.#options.logger.warn({ reason }, 'The broker has blocked the connection')
  }

  #onUnblocked(opened: OpenedConnection): void {
    if (this.#opened !== opened) return
    this.#blockedReason = undefined
    this.#options.logger.info({}, 'The broker has unblocked the connection')
    this.#options.onSendable?.()
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters) wake()
  }
}
