import { bindingsOf } from './bindings.js'
import { createSharedExchanges, retryExchangesOf, sharedExchangesOf } from './exchanges.js'
import type { WorkQueueName } from './names.js'
import { workQueueNames } from './names.js'
import { queuesOf } from './queues.js'
import type { Topology } from './topology-types.js'
import { workQueues } from './work-queues.js'

/** Everything: the shared exchanges, then per work queue its retry exchange, queues and bindings. A fresh object each time. */
export function createTopology(): Topology {
  const queues = workQueueNames.map((name) => workQueues[name])
  return {
    exchanges: [...createSharedExchanges(), ...queues.flatMap(retryExchangesOf)],
    queues: queues.flatMap(queuesOf),
    bindings: queues.flatMap(bindingsOf),
  }
}

/** What the worker of this queue uses, the shared exchanges first. A fresh object each time. */
export function topologyOf(queue: WorkQueueName): Topology {
  const definition = workQueues[queue]
  return {
    exchanges: [...sharedExchangesOf(definition), ...retryExchangesOf(definition)],
    queues: queuesOf(definition),
    bindings: bindingsOf(definition),
  }
}
