import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { settleWithin } from '@mono/waiting'
import type { ChannelModel } from 'amqplib'
import { BrokerConnection, connectionLimits } from '../connection/broker-connection.js'
import { toBrokerEndpoint } from '../connection/broker-endpoint.js'
import { silentLogger } from '../logger.js'

export interface SetHeadAsideOptions {
  urls: readonly string[]
  queue: string
  connectionName: string
  /** For connecting and for the broker's answer, each. */
  timeoutMs: number
}

export interface MessageAside {
  /** Whether the broker still holds it: not if the connection was lost. */
  isHeld(): boolean
  /** The broker puts the message back at the head of its queue. */
  putBack(): Promise<void>
}

/**
 * Takes the message at the head of a queue out of the way without reading it: over a connection that asks for it and
 * reads nothing from then on, so that the broker holds it for that connection. It comes back with `putBack`, or with the
 * end of the process.
 *
 * @throws Error if the broker cannot be reached, or does not answer in time
 */
export async function setHeadAside(options: SetHeadAsideOptions): Promise<MessageAside> {
  const { connectionName, queue, timeoutMs: ms, urls } = options
  const connection = new BrokerConnection({
    endpoints: urls.map((url) => toBrokerEndpoint(withoutHeartbeat(url), { heartbeatSeconds: 0 })),
    connectionName,
    logger: silentLogger,
    ...connectionLimits,
    // Nobody would read its answer either.
    closeTimeoutMs: 1,
  })
  const createError = () => new Error(`A message of ${queue} that cannot be read was not set aside within ${ms} ms.`)
  try {
    connection.start()
    await connection.whenOpen({ ms, createError })
    if (!connection.model) throw createError()
    await settleWithin(askAndReadNothing(connection.model, queue), { ms, createError })
  } catch (error) {
    await connection.close()
    throw error
  }
  const { ended } = connection
  return { isHeld: () => ended?.aborted === false, putBack: () => connection.close() }
}

/** Nobody would read the broker's heartbeats, so those that the URL asks for are left out. */
function withoutHeartbeat(url: string): string {
  const bare = new URL(url)
  bare.searchParams.delete('heartbeat')
  return bare.href
}

/** Resolves when the answer has arrived at the socket, from which amqplib does not take it any more. */
async function askAndReadNothing(model: ChannelModel, queue: string): Promise<void> {
  const channel = await model.createChannel()
  channel.on('error', () => {})
  channel.get(queue).catch(() => {})
  const { stream } = model.connection as unknown as { stream: Duplex }
  stream.removeAllListeners('readable')
  await once(stream, 'readable')
}
