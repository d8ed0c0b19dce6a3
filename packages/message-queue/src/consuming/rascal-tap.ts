import type { EventEmitter } from 'node:events'
import type { ConsumeMessage } from 'amqplib'
import amqplib from 'amqplib/callback_api'
import { WriteBatch } from '../connection-batch.js'
import { AckMerger } from './ack-merger.js'

/**
 * Stands between amqplib and rascal, which opens its connections through amqplib's callback API and keeps them to itself.
 * Four things need what it keeps:
 *
 * - Rascal reads the headers `rascal` and `x-death` of every delivery before our code sees it, and trusts them: an
 *   `x-death` that is not an array throws inside the channel and closes it, again at every redelivery; a forged
 *   `rascal` header sets the routing key, the recovery count or an immediate nack. So a delivery reaches rascal with no
 *   headers, and {@link headersOf} returns those that were received.
 * - Only the channel knows whether a consumer is registered on it right now.
 * - Each ack would be a frame, a system call and a packet of its own, also those of a batch of 500 (measured: 7 % of the
 *   audit worker's CPU time, and the broker's share on top); see {@link AckMerger} for what else that would do.
 * - A broker that fails while it declares its topology leaves its connection open, and one that is shut down waits for
 *   ever for a peer that does not answer.
 */
export interface RascalTap {
  /** The broker has confirmed that the consumer is registered. */
  onConsuming(): void
  /** The consumer is gone: cancelled by the broker, or its channel or connection closed. */
  onLost(): void
}

type Done<T> = (error: Error | null, result?: T) => void
type Consume = (
  queue: string,
  onMessage: (message: ConsumeMessage | null) => void,
  options: object,
  done: Done<object>,
) => void

type CreateChannel = (done: Done<RascalChannel>) => void

interface RascalChannel extends EventEmitter {
  consume: Consume
  ack(message: ConsumeMessage, allUpTo?: boolean): void
  nack(message: ConsumeMessage, allUpTo?: boolean, requeue?: boolean): void
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
const receivedHeaders = new WeakMap<ConsumeMessage, Record<string, unknown>>()
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
  const headers = receivedHeaders.get(message)
  if (headers !== undefined) return headers
  throw new Error('Rascal uses another copy of amqplib than this package: install one version of amqplib for both.')
}

function tapConnection(connection: RascalConnection, connectionName: string, tap: RascalTap): void {
  const open = connections.get(connectionName)
  open?.add(connection)
  connection.once('close', () => open?.delete(connection))
  const batch = new WriteBatch(connection)
  connection.createChannel = tapCreate(connection.createChannel.bind(connection), tap, batch)
  // Rascal consumes on confirm channels: it takes the object `{ confirm: false }` for a yes.
  connection.createConfirmChannel = tapCreate(connection.createConfirmChannel.bind(connection), tap, batch)
}

function tapCreate(create: CreateChannel, tap: RascalTap, batch: WriteBatch): CreateChannel {
  return (done) =>
    create((error, channel) => {
      if (channel) tapChannel(channel, tap, batch)
      done(error, channel)
    })
}

function tapChannel(channel: RascalChannel, tap: RascalTap, batch: WriteBatch): void {
  const acks = mergeAcks(channel, batch)
  const consume = channel.consume.bind(channel)
  channel.consume = (queue, onMessage, options, done) => {
    channel.once('close', () => tap.onLost())
    const onTappedMessage = (message: ConsumeMessage | null) => {
      if (message === null) tap.onLost()
      else {
        acks.delivered(message)
        hideHeaders(message)
      }
      onMessage(message)
    }
    consume(queue, onTappedMessage, options, (error, ok) => {
      done(error, ok)
      if (!error) tap.onConsuming()
    })
  }
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

function hideHeaders(message: ConsumeMessage): void {
  receivedHeaders.set(message, message.properties.headers ?? {})
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
