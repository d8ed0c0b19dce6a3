import { toError } from '@mono/waiting'
import { type ChannelModel, connect, type SocketOptions } from 'amqplib'
import type { BrokerEndpoint } from './broker-endpoint.js'
import { explainRefusal } from './explain-refusal.js'
import { WriteBatch } from './write-batch.js'

/** amqplib's `connect`, or a stand-in. */
export type ConnectToBroker = (url: string, options: SocketOptions) => Promise<ChannelModel>

export const connectToBroker: ConnectToBroker = connect

/** So much is gathered for one system call at most; then amqplib waits for the socket. */
const socketBufferBytes = 1024 * 1024

export interface OpenedConnection {
  model: ChannelModel
  batch: WriteBatch
  /** Aborted with the socket's end, whoever brings that about. */
  ended: AbortSignal
  /** Destroys the socket at once, whatever it is waiting for. Harmless when it is closed already. */
  destroy(): void
}

export interface OpenConnectionOptions {
  endpoint: BrokerEndpoint
  connectionName: string
  /** For the whole of address look-up, TCP, TLS and AMQP handshake. */
  timeoutMs: number
  signal: AbortSignal
  connect: ConnectToBroker
}

/**
 * The socket is destroyed through the abort signal given to `net.connect` or `tls.connect`: amqplib has no way to end a
 * handshake, and its `close` waits for an answer for ever.
 *
 * @throws Error if the handshake fails, is not done within the time, or the signal is aborted
 */
export async function openConnection(options: OpenConnectionOptions): Promise<OpenedConnection> {
  const { endpoint, connectionName, timeoutMs, signal, connect } = options
  const socket = new AbortController()
  const destroy = () => socket.abort()
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    destroy()
  }, timeoutMs)
  // Not in the same turn: when amqplib has just succeeded, an 'error' would come before anybody listens to it.
  const destroySoon = () => setImmediate(destroy)
  signal.addEventListener('abort', destroySoon, { once: true })
  if (signal.aborted) destroySoon()
  try {
    const model = await connect(endpoint.url, toSocketOptions(endpoint, connectionName, socket.signal))
    return { model, batch: new WriteBatch(model), ended: socket.signal, destroy }
  } catch (error) {
    if (timedOut) throw new Error(`no answer to the AMQP handshake within ${timeoutMs} ms`, { cause: error })
    throw await explainRefusal(toError(error), endpoint, socket.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', destroySoon)
  }
}

function toSocketOptions(endpoint: BrokerEndpoint, connectionName: string, signal: AbortSignal): SocketOptions {
  const options: SocketOptions & { signal: AbortSignal; highWaterMark: number } = {
    signal,
    noDelay: true,
    highWaterMark: socketBufferBytes,
    clientProperties: { connection_name: connectionName },
    ...(endpoint.credentials && { credentials: endpoint.credentials }),
  }
  return options
}
