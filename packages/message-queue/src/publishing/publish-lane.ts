import { toError } from '@mono/waiting'
import { type ChannelModel, IllegalOperationError } from 'amqplib'
import type { BrokerConnection } from '../connection/broker-connection.js'
import {
  createMissingExchangeError,
  createNoFrameError,
  createNotSentError,
  createRefusedError,
  createReturnedError,
  createUnencodableError,
  createUnknownOutcomeError,
} from '../errors/publish-failures.js'
import type { Logger } from '../logger.js'
import type { PendingMessage } from './pending-message.js'
import { openPublishChannel, type PublishChannel, type PublishChannelLimits } from './publish-channel.js'
import { PublishQueue } from './publish-queue.js'
import { RecentRefusals } from './recent-refusals.js'
import { type ChannelFailure, isOverMessage, type Refusal, readRefusal, toRefusalOf } from './refusal.js'

export interface PublishLaneOptions {
  exchange: string
  /** For messages. */
  vhost: string
  user: string
  connection: BrokerConnection
  limits: PublishChannelLimits
  logger: Logger
}

/** amqplib puts the broker's reply code on the error. */
const notFound = 404
const refusalLogMs = 60_000

/**
 * Everything that is published to one exchange, in order, on a confirm channel of its own: an error that closes the
 * channel of one exchange leaves the others alone.
 *
 * - no channel: messages wait in the queue. Left by `pump`, when something waits and the connection is sendable.
 * - opening: the channel is opened and the exchange looked up. If the exchange is missing, all that wait are rejected
 *   and the lane has no channel again, so that the next publish looks anew.
 * - channel: messages go from the queue into the window of the channel as long as it has room. Left when the channel
 *   or the connection ends.
 *
 * A message that the broker does not take for its own sake, most often because its user may not publish it, costs the
 * channel; the others in flight are sent again, in order. If the broker does not say which it was, each that was in
 * flight is suspect and sent by itself, until it is found.
 *
 * Invariants: a message is in the queue or in the window, never in both; what stood in the window when the connection
 * went is put before all that wait, in the order it was sent; in the queue `sent` tells that it may have arrived.
 */
export class PublishLane {
  readonly #options: PublishLaneOptions
  readonly #queue = new PublishQueue()
  #channel: PublishChannel | undefined
  /** The connection on which a channel is being opened. */
  #openingOn: ChannelModel | undefined
  #openError: Error | undefined
  readonly #refusals = new RecentRefusals()
  /** The message sent last is to stay alone until the broker has answered for it. */
  #isAlone = false
  #refusalLoggedAt = Number.NEGATIVE_INFINITY

  constructor(options: PublishLaneOptions) {
    this.#options = options
  }

  get buffered(): number {
    return this.#queue.size
  }

  get bufferedBytes(): number {
    return this.#queue.bytes
  }

  get inFlight(): number {
    return this.#channel?.window.size ?? 0
  }

  /** A message added now would be sent at once. */
  get isClear(): boolean {
    if (this.#queue.size > 0 || this.#options.connection.sendable === undefined) return false
    return this.#channel !== undefined && this.#hasRoom(this.#channel)
  }

  add(pending: PendingMessage): void {
    this.#queue.push(pending)
    this.pump()
  }

  /** Sends what can be sent. To be called whenever something waits that did not, or an obstacle is gone. */
  pump(): void {
    const connection = this.#queue.size > 0 ? this.#options.connection.sendable : undefined
    if (!connection) return
    if (this.#channel) this.#sendQueued(this.#channel)
    else if (this.#openingOn !== connection) void this.#open(connection)
  }

  /** Rejects what is due at `now`, and gives the earliest deadline that remains. */
  expire(now: number): number {
    const inQueue = this.#rejectDue(this.#queue, now)
    const inFlight = this.#channel ? this.#rejectDue(this.#channel.window.values(), now) : Number.POSITIVE_INFINITY
    return Math.min(inQueue, inFlight)
  }

  rejectAll(): void {
    for (const pending of [...(this.#channel?.window.values() ?? []), ...this.#queue]) {
      if (pending.sent) pending.reject(createUnknownOutcomeError(pending, 'the client was closed'))
      else pending.reject(createNotSentError(pending.message, { reason: 'closed', why: 'the client was closed' }))
    }
  }

  #sendQueued(channel: PublishChannel): void {
    if (channel.hasRoom) this.#options.connection.batchWrites()
    while (this.#hasRoom(channel)) {
      const pending = this.#queue.shift()
      if (!pending) return
      const refusal = this.#refusals.find(pending.message)
      if (refusal) rejectFor(refusal, pending)
      else if (!channel.admits(pending.message)) pending.reject(createNoFrameError(pending, channel.maxFrameBytes))
      else if (!this.#send(channel, pending)) return
    }
  }

  #hasRoom(channel: PublishChannel): boolean {
    if (channel.window.size === 0) this.#isAlone = false
    const mustBeAlone = this.#isAlone || this.#queue.first?.suspect !== undefined
    return channel.hasRoom && (!mustBeAlone || channel.window.size === 0)
  }

  /** @returns false if the channel takes no more */
  #send(channel: PublishChannel, pending: PendingMessage): boolean {
    try {
      channel.send(pending)
      this.#isAlone = pending.suspect !== undefined
      return true
    } catch (error) {
      if (!(error instanceof IllegalOperationError)) {
        pending.reject(createUnencodableError(pending, toError(error)))
        return true
      }
      this.#queue.unshift(pending)
      return false
    }
  }

  async #open(connection: ChannelModel): Promise<void> {
    const { exchange, limits } = this.#options
    this.#openingOn = connection
    try {
      this.#channel = await openPublishChannel({ connection, exchange, limits, listener: this.#createListener() })
      this.#openError = undefined
    } catch (error) {
      // amqplib may hand out a connection that has ended already.
      if (error instanceof IllegalOperationError) this.#options.connection.reset(connection, error)
      this.#onOpenFailed(toError(error))
    }
    if (this.#openingOn === connection) this.#openingOn = undefined
    if (this.#channel) this.pump()
  }

  /** For any reason but a missing exchange the messages wait on: for the connection, the next publish, their deadline. */
  #onOpenFailed(error: Error): void {
    const { exchange, vhost, logger } = this.#options
    this.#openError = error
    if ((error as { code?: unknown }).code !== notFound) return
    logger.warn({ exchange, vhost, waiting: this.#queue.size }, 'Published to an exchange that does not exist')
    for (const pending of this.#queue) pending.reject(createMissingExchangeError(pending, vhost, error))
  }

  #createListener() {
    return {
      onConfirmed: (pending: PendingMessage) => pending.resolve(),
      onRefused: (pending: PendingMessage) => pending.reject(createRefusedError(pending)),
      onReturned: (pending: PendingMessage, replyText: string) =>
        pending.reject(createReturnedError(pending, this.#options.vhost, replyText)),
      onRoom: () => this.pump(),
      onClosed: (unconfirmed: PendingMessage[], failure: Error | undefined) => this.#onClosed(unconfirmed, failure),
    }
  }

  #onClosed(unconfirmed: PendingMessage[], failure: Error | undefined): void {
    // While it is opened there is nothing on it, and `#open` hears of its end.
    if (!this.#channel) return
    this.#channel = undefined
    const unsettled = unconfirmed.filter(({ settled }) => !settled)
    if (!failure) {
      this.#queue.unshiftAll(unsettled)
      return
    }
    if (isOverMessage(failure)) {
      this.#onRefused(unconfirmed, failure)
      this.pump()
      return
    }
    const { exchange, logger } = this.#options
    logger.warn({ exchange, err: failure, inFlight: unsettled.length }, 'The broker closed the channel of an exchange')
    const why = `the broker closed the channel (${failure.message})`
    for (const pending of unsettled) pending.reject(createUnknownOutcomeError(pending, why, failure))
    this.pump()
  }

  /** Those settled by now are looked at too: it may have been one of them. */
  #onRefused(unconfirmed: readonly PendingMessage[], failure: ChannelFailure): void {
    const refusal = this.#findRefusal(unconfirmed, failure)
    const place = refusal ? unconfirmed.findIndex(({ message }) => refusal.applies(message)) : -1
    const unsettled = unconfirmed.filter(({ settled }) => !settled)
    this.#logRefusal(failure, unsettled.length)
    if (!refusal || place === -1) {
      for (const pending of unsettled) pending.suspect ??= { sentBefore: pending.sentBefore }
      this.#queue.unshiftAll(unsettled)
      return
    }
    this.#refusals.add(refusal)
    for (const pending of unconfirmed.slice(place)) pending.forgetLastCopy()
    this.#queue.unshiftAll(unsettled.filter(({ message }) => !refusal.applies(message)))
    for (const pending of unsettled) if (refusal.applies(pending.message)) pending.reject(refusal.createError(pending))
  }

  #findRefusal(unconfirmed: readonly PendingMessage[], failure: ChannelFailure): Refusal | undefined {
    const read = readRefusal(failure, this.#options)
    if (read && unconfirmed.some(({ message }) => read.applies(message))) return read
    const [only] = unconfirmed
    return only && unconfirmed.length === 1 ? toRefusalOf(only.message, failure, this.#options) : undefined
  }

  /** One line a minute at most. */
  #logRefusal(failure: Error, inFlight: number): void {
    const { exchange, logger } = this.#options
    const isFirst = performance.now() - this.#refusalLoggedAt > refusalLogMs
    if (isFirst) this.#refusalLoggedAt = performance.now()
    const level = isFirst ? 'warn' : 'debug'
    logger[level]({ exchange, err: failure, inFlight }, 'The broker has refused messages and closed their channel')
  }

  #rejectDue(pendings: Iterable<PendingMessage>, now: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const pending of pendings) {
      if (pending.settled) continue
      if (pending.deadlineAt <= now) pending.reject(this.#due(pending))
      else if (pending.deadlineAt < earliest) earliest = pending.deadlineAt
    }
    return earliest
  }

  #due(pending: PendingMessage): Error {
    const { deadlineMs } = pending.message
    const cause = this.#options.connection.presentError
    if (pending.sent) return createUnknownOutcomeError(pending, `no confirm came within ${deadlineMs} ms`, cause)
    const why = `it could not be sent within ${deadlineMs} ms, because ${this.#describeObstacle()}`
    return createNotSentError(pending.message, { reason: 'deadline', why, cause })
  }

  #describeObstacle(): string {
    const obstacle = this.#options.connection.describeObstacle()
    if (obstacle) return obstacle
    if (this.#channel) return `${this.inFlight} messages sent before it are not confirmed`
    const reason = this.#openError ? ` (${this.#openError.message})` : ''
    return `the broker has not opened a channel${reason}`
  }
}

/** A suspect whose kind is refused was refused on the channel that made it one. */
function rejectFor(refusal: Refusal, pending: PendingMessage): void {
  if (pending.suspect) pending.forgetLastCopy()
  pending.reject(refusal.createError(pending))
}
