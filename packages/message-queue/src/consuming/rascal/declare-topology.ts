import { createTopologyConfig, type TopologyMode, type WorkQueueName } from '@mono/rascal-config'
import { toError } from '@mono/waiting'
import { toFirstEndpoint } from '../../connection/broker-endpoint.js'
import { explainRefusal } from '../../connection/explain-refusal.js'
import { toTopologyMismatchError } from '../../errors/topology-mismatch-error.js'
import { RascalBroker } from './rascal-broker.js'

export interface DeclareTopologyOptions {
  urls: readonly string[]
  connectionName: string
  queue: WorkQueueName
  topologyMode: TopologyMode
  signal: AbortSignal
}

const timeoutMs = 15_000

/**
 * Declares, over a connection of its own that is closed again, what the worker of this queue uses.
 *
 * @throws TopologyMismatchError if something exists with other arguments
 * @throws Error if the broker is away or refuses
 */
export async function declareTopology({ signal, ...options }: DeclareTopologyOptions): Promise<void> {
  const endpoint = toFirstEndpoint(options.urls)
  const connectionName = `${options.connectionName} declaring`
  const createConfig = (socket: AbortSignal) => createTopologyConfig({ ...options, connectionName, signal: socket })
  try {
    const broker = await RascalBroker.open({ createConfig, timeoutMs, signal })
    await broker.close()
  } catch (error) {
    throw toTopologyMismatchError(error) ?? (await explainRefusal(toError(error), endpoint, signal))
  }
}
