import type { EventEmitter } from 'node:events'
import type { ConsumeMessage } from 'amqplib'
import amqplib from 'amqplib/callback_api'
import { WriteBatch } from '../connection-batch.js'
import { AckMerger } from './ack-merger.js'
import { type ConsumingChannel, TappedConsumer } from './tapped-consumer.js'

/**
 * Stands between amqplib and rascal, which opens its connections through amqplib's callback API and keeps them to itself.
 * Five things need what it keeps:
 *
 * - Rascal reads the headers `rascal` and `x-death` of every delivery before our code sees it, and trusts them: an
 *   `x-death` that is not an array throws inside the channel and closes it, again at every redelivery; a forged
 *   `rascal` header sets the routing key, the recovery count or an immediate nack. So a delivery reaches rascal with no
 *   headers, and {@link headersOf} returns those that were received.
 * - Only the channel knows whether a consumer is registered on it right now.
 * - The number of deliveries taken at a time changes, down to none, while some are in hand; see {@link TappedConsumer}.
 * - Each ack would be a frame, a system call and a packet of its own, also those of a batch of 500 (measured: 7 % of the
 *   audit worker's CPU time, and the broker's share on top); see {@link AckMerger} for what else that would do.
 * - A broker that fails while it declares its topology leaves its connection open, and one that is shut down waits for
 *   ever for a peer that does not answer.
 */
export interface RascalTap {
  /** Deliveries to take at a time by the consumers to come, whatever rascal asks for; 0: none. */
  prefetch(): number
  /** Rascal has a channel for its consumer, which may be registered on it or wait. */
  onChannel(consumer: OpenConsumer): void
  /** The broker has confirmed that the consumer is registered. */
  onConsuming(): void
  /** The broker has cancelled the consumer; its channel is open. Rascal is not told. */
  onCancelled(): void
  /** The channel of the consumer is closed, or its connection is. */
  onLost(): void
}

/** A consumer as long as its channel is open. */
export interface OpenConsumer extends Pick<TappedConsumer, 'advance' | 'renew' | 'setPrefetch'> {
  /** How many messages its queue has ready, asked on a channel of its own. Never settles if the peer does not answer. */
  countWaiting(): Promise<number>
}

type Done<T> = (error: Error | null, result?: T) => void

type CreateChannel = (done: Done<RascalChannel>) => void

interface RascalChannel extends EventEmitter, ConsumingChannel {
  ack(message: ConsumeMessage, allUpTo?: boolean): void
  nack(message: ConsumeMessage, allUpTo?: boolean, requeue?: boolean): void
  checkQueue(queue: string, done: Done<{ messageCount: number }>): void
  close(done: () => void): void
}

interface RascalConnection extends EventEmitter {
  createChannel: CreateChannel
  createConfirmChannel: CreateChannel
  close(done: () => void): void
  connection: { stream: { destroy(error: Error): void } }
}

interface SocketOptions {
  clientProperties?: { connection_name?: string }
}

/** The part of amqplib's callback API that rascal calls, as rascal calls it. */
const callbackApi = amqplib as unknown as {
  connect: (url: string, options: SocketOptions | undefined, done: Done<RascalConnection>) => void
}

const closeGraceMs = 1_000
const taps = new Map<string, RascalTap>()
const connections = new Map<string, Set<RascalConnection>>()
const received = new WeakMap<ConsumeMessage, { headers: Record<string, unknown>; alone: boolean }>()
const connect = callbackApi.connect

/** From now on, watches the connections whose `connection_name` is this. */
export function attachTap(connectionName: string, tap: RascalTap): void {
  taps.set(connectionName, tap)
  connections.set(connectionName, new Set())
}

/** Closes what is still open under this name; a peer that does not answer within a second is left by closing the socket. */
export async function detachTap(connectionName: string): Promise<void> {
  await closeConnections(connectionName)
  taps.delete(connectionName)
  connections.delete(connectionName)
}

export async function closeConnections(connectionName: string): Promise<void> {
  const open = [...(connections.get(connectionName) ?? [])]
  await Promise.all(open.map(closeConnection))
}

/** The headers that a delivery was received with. */
export function headersOf(message: ConsumeMessage): Record<string, unknown> {
  return find(message).headers
}

/** The broker sent it by a registration that admits one delivery at a time. */
export function isSentAlone(message: ConsumeMessage): boolean {
  return find(message).alone
}

function find(message: ConsumeMessage) {
  const found = received.get(message)
  if (found !== undefined) return found
  throw new Error('Rascal uses another copy of amqplib than this package: install one version of amqplib for both.')
}

function tapConnection(connection: RascalConnection, connectionName: string, tap: RascalTap): void {
  const open = connections.get(connectionName)
  open?.add(connection)
  connection.once('close', () => open?.delete(connection))
  const tapped = { tap, batch: new WriteBatch(connection), createPlain: connection.createChannel.bind(connection) }
  connection.createChannel = tapCreate(tapped.createPlain, tapped)
  // Rascal consumes on confirm channels: it takes the object `{ confirm: false }` for a yes.
  connection.createConfirmChannel = tapCreate(connection.createConfirmChannel.bind(connection), tapped)
}

interface TappedConnection {
  tap: RascalTap
  batch: WriteBatch
  createPlain: CreateChannel
}

function tapCreate(create: CreateChannel, tapped: TappedConnection): CreateChannel {
  return (done) =>
    create((error, channel) => {
      if (channel) tapChannel(channel, tapped)
      done(error, channel)
    })
}

function tapChannel(channel: RascalChannel, { tap, batch, createPlain }: TappedConnection): void {
  const acks = mergeAcks(channel, batch)
  const plain: ConsumingChannel = {
    consume: channel.consume.bind(channel),
    cancel: channel.cancel.bind(channel),
    prefetch: channel.prefetch.bind(channel),
  }
  // Rascal sets its own before it consumes; the consumer asks for what is wanted by then.
  channel.prefetch = (_count, _global, done) => done(null, {})
  channel.consume = (queue, onMessage, options, done) => {
    const consumer = new TappedConsumer({
      channel: plain,
      queue,
      options,
      prefetch: tap.prefetch(),
      onDelivery(message, prefetch) {
        acks.delivered(message)
        hideHeaders(message, prefetch === 1)
        onMessage(message)
      },
      onConsuming: tap.onConsuming,
      onCancelled: tap.onCancelled,
    })
    channel.once('close', () => {
      consumer.close()
      tap.onLost()
    })
    channel.cancel = (_tag, ended) => consumer.end(ended)
    tap.onChannel({
      advance: () => consumer.advance(),
      renew: () => consumer.renew(),
      setPrefetch: (prefetch) => consumer.setPrefetch(prefetch),
      countWaiting: () => countWaiting(createPlain, queue),
    })
    consumer.start(done)
  }
}

/** @throws Error with code 404 if the queue does not exist: the broker closes the channel then. */
function countWaiting(createChannel: CreateChannel, queue: string): Promise<number> {
  return new Promise((resolve, reject) => {
    createChannel((error, channel) => {
      if (!channel) return reject(error)
      channel.on('error', reject)
      channel.checkQueue(queue, (fault, found) => {
        if (fault) return reject(fault)
        channel.close(() => {})
        resolve(found?.messageCount ?? 0)
      })
    })
  })
}

function mergeAcks(channel: RascalChannel, batch: WriteBatch): AckMerger {
  const ack = channel.ack.bind(channel)
  const nack = channel.nack.bind(channel)
  const close = channel.close.bind(channel)
  const acks = new AckMerger((message, allUpTo) => {
    batch.begin()
    ack(message, allUpTo)
  })
  channel.ack = (message) => acks.ack(message)
  channel.nack = (message, ...how) => {
    acks.forget(message)
    nack(message, ...how)
  }
  channel.close = (done) => {
    acks.flush()
    // Whoever acknowledges on it now is told that it is closing.
    channel.ack = ack
    close(done)
  }
  return acks
}

function hideHeaders(message: ConsumeMessage, alone: boolean): void {
  received.set(message, { headers: message.properties.headers ?? {}, alone })
  message.properties.headers = {}
}

function closeConnection(connection: RascalConnection): Promise<void> {
  return new Promise((resolve) => {
    const onClosed = () => {
      clearTimeout(timer)
      resolve()
    }
    const leave = () => {
      // With an error, or amqplib would take the connection for open until its heartbeat fails.
      connection.connection.stream.destroy(new Error('The broker did not answer in time.'))
      onClosed()
    }
    const timer = setTimeout(leave, closeGraceMs)
    connection.once('close', onClosed)
    try {
      connection.close(onClosed)
    } catch {
      leave() // rascal has asked already, and the peer has not answered
    }
  })
}

callbackApi.connect = (url, options, done) => {
  const connectionName = options?.clientProperties?.connection_name ?? ''
  connect(url, options, (error, connection) => {
    const tap = taps.get(connectionName)
    if (connection && tap) tapConnection(connection, connectionName, tap)
    done(error, connection)
  })
}
