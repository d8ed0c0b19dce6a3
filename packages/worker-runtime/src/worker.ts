import type { Consumer, MessageQueue } from '@mono/message-queue'
import type { DatabaseStatus } from './database-status.js'
import type { Dependency } from './dependency.js'
import type { RuntimeLogger } from './logger.js'
import type { OwnMetric } from './metrics.js'
import type { Resources } from './resources.js'
import type { Shutdown } from './shutdown.js'
import type { WorkerStateHolder } from './worker-state.js'

export interface RunningWorker {
  consumer: Consumer
  /** Everything that all deliveries need beside the database, which the runtime watches itself. */
  dependencies?: readonly Dependency[]
  /** Shown beside the metrics that all workers have. */
  metrics?: readonly OwnMetric[]
  /** Called after the consumer has drained and before the connections are closed; has three seconds. */
  stop?(): Promise<void>
}

/** Shared by start and stop. */
export interface Worker {
  logger: RuntimeLogger
  shutdown: Shutdown
  state: WorkerStateHolder
  resources: Resources
  /** As much as the start has brought up by now. Readiness reports it, and the stop works with it. */
  started: {
    running?: RunningWorker
    messageQueue?: Pick<MessageQueue, 'health' | 'drain' | 'close'>
    database?: { readonly status: DatabaseStatus }
  }
}
