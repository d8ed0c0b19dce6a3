import type { WorkQueueName } from '@mono/rascal-config'
import type { Logger } from '../logger.js'
import type { ResolvedMessageQueueOptions } from '../message-queue-options.js'
import type { ResolvedConsumeOptions } from './consume-options.js'
import type { Consumer, ConsumerState } from './consumer.js'
import type { QueueConsumer, QueueConsumerOptions } from './queue-consumer.js'

export interface ConsumerHealth {
  queue: WorkQueueName
  state: ConsumerState
  inFlight: number
  /** Why it does not consume, or cannot retry, defer and dead-letter. Absent while it can. */
  lastError?: string
}

export interface ConsumerToOpen extends ResolvedConsumeOptions {
  queue: WorkQueueName
  /** See `QueueConsumerOptions`. Default: the work queue. */
  source?: string
  loadIntake(logger: Logger): Promise<QueueConsumerOptions['createIntake']>
}

/** Connection names are unique in the process, however many clients it has. */
let consumersMade = 0

/**
 * The consumers of one client. The consuming side, rascal among it, is loaded by the first of them: an application that
 * only publishes does without.
 */
export class Consumers {
  readonly #consumers = new Set<QueueConsumer>()
  #isEnded = false

  get health(): ConsumerHealth[] {
    return [...this.#consumers].map(({ queue, state, inFlight, presentError }) => {
      const health: ConsumerHealth = { queue, state, inFlight }
      if (presentError) health.lastError = presentError.message
      return health
    })
  }

  /** Those that need connections: one that has failed, or is disconnecting, gives them up for good. */
  get running(): readonly Pick<QueueConsumer, 'connected'>[] {
    return [...this.#consumers].filter(({ state, isDisconnecting }) => state !== 'failed' && !isDisconnecting)
  }

  /**
   * Resolves when the broker has registered the consumer.
   *
   * @throws TopologyMismatchError if a queue exists with other arguments
   * @throws Error if the client was drained or closed, before or meanwhile
   */
  async open(
    { loadIntake, ...options }: ConsumerToOpen,
    resolveClient: () => ResolvedMessageQueueOptions,
  ): Promise<Consumer> {
    if (this.#isEnded) throw new Error('Expected an open message queue, found one that was drained or closed.')
    const { queue } = options
    const { connectionName, logger, topologyMode, urls } = resolveClient()
    const { QueueConsumer } = await import('./queue-consumer.js')
    const createIntake = await loadIntake(logger.child({ queue }))
    if (this.#isEnded) throw new Error(`The consumer of ${queue} was closed before the broker was there.`)
    consumersMade += 1
    const consumer = new QueueConsumer({
      ...options,
      urls,
      topologyMode,
      connectionName: `${connectionName} ${queue} ${consumersMade}`,
      workerName: connectionName,
      logger,
      createIntake,
    })
    this.#consumers.add(consumer)
    void consumer.stopped.then(
      () => this.#consumers.delete(consumer),
      () => {}, // one that failed stays to be seen
    )
    await consumer.ready
    return consumer
  }

  /** Each finishes what it holds, takes no more, and disconnects. */
  async drain(): Promise<void> {
    this.#isEnded = true
    await Promise.all([...this.#consumers].map((consumer) => consumer.drain()))
  }

  /** Each gives back what it has not settled, and disconnects now. */
  async close(): Promise<void> {
    this.#isEnded = true
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
  }
}
