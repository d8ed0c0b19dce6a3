import { hostname } from 'node:os'
import { type TopologyMode, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { DeferError } from '../errors/handler-errors.js'
import type { Logger } from '../logger.js'
import type { ResolvedConsumeOptions } from './consume-options.js'
import type { Consumer, ConsumerState } from './consumer.js'
import { declareConsumable } from './declare-consumable.js'
import { DeliveryFlow } from './delivery-flow.js'
import type { Intake, IntakeOptions } from './handling/intake.js'
import { Forwarder } from './rascal/forwarder.js'
import { Delivery } from './receiving/delivery.js'
import type { PrefetchMode } from './receiving/delivery-turns.js'
import { type StallWatch, watchForStall } from './receiving/stall-watch.js'
import { Subscription } from './receiving/subscription.js'
import { CompetingSchedule } from './scheduling/competing-schedule.js'
import { OrderedSchedule } from './scheduling/ordered-schedule.js'
import { Settler } from './settling/settler.js'

export interface QueueConsumerOptions extends ResolvedConsumeOptions {
  queue: WorkQueueName
  /** Another queue of the broker that holds messages of this work queue. It has to be there: nothing is declared for it. */
  source?: string
  urls: readonly string[]
  topologyMode: TopologyMode
  /** Unique in this process. */
  connectionName: string
  workerName: string
  logger: Logger
  createIntake(options: IntakeOptions): Intake
}

/** One consumer of one queue: its life, and the parts that its deliveries go through. */
export class QueueConsumer implements Consumer {
  readonly queue: WorkQueueName
  /** Resolves when the broker has registered the consumer for the first time; rejects if that will not be. */
  readonly ready: Promise<void>
  readonly stopped: Promise<void>
  readonly #keepsOrder: boolean
  readonly #logger: Logger
  readonly #flow: DeliveryFlow
  readonly #forwarder: Forwarder
  readonly #subscription: Subscription
  readonly #stallWatch: StallWatch
  readonly #listeners = new Set<(state: ConsumerState) => void>()
  #state: ConsumerState = 'connecting'
  #failure: Error | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #disconnecting: Promise<void> | undefined
  /** Deliveries have come by the present registration. */
  #hasDeliveries = false
  #stalls = 0
  #onReady = () => {}
  #onStopped: (failure?: Error) => void = () => {}

  constructor(options: QueueConsumerOptions) {
    const { connectionName, logger, queue, source, workerName } = options
    this.queue = queue
    this.#keepsOrder = workQueues[queue].order === 'strict'
    this.#logger = logger
    this.stopped = new Promise((resolve, reject) => {
      this.#onStopped = (failure) => (failure ? reject(failure) : resolve())
    })
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve
      const closed = () => reject(new Error(`The consumer of ${queue} was closed before the broker was there.`))
      this.stopped.then(closed, reject)
    })
    // Nobody has to wait for them.
    this.stopped.catch(() => {})
    this.ready.catch(() => {})
    this.#forwarder = new Forwarder({ ...options, connectionName: `${connectionName} forwarding` })
    const settler = new Settler({ ...options, forward: (...copy) => this.#forwarder.forward(...copy) })
    this.#flow = new DeliveryFlow({
      ...options,
      settler,
      createSchedule: (parts) =>
        this.#keepsOrder
          ? new OrderedSchedule({ ...options, ...parts })
          : new CompetingSchedule({ ...options, ...parts }),
      onPrefetch: (prefetch) => this.#subscription.setPrefetch(prefetch),
    })
    this.#subscription = new Subscription({
      ...options,
      queue: source ?? queue,
      consumerName: `${workerName}@${hostname()}.${process.pid}`,
      prefetch: this.#flow.prefetch,
      leaving: this.#keepsOrder ? 'close' : 'cancel',
      heartbeatSeconds: this.#keepsOrder ? 5 : 10,
      declare: async (broker) => {
        if (source === undefined) await declareConsumable(options, broker)
      },
      listener: {
        onDelivery: (message, from) => {
          this.#hasDeliveries = true
          this.#changeState('consuming', ['standby'])
          this.#flow.receive(new Delivery(queue, message, from))
        },
        onRegistered: () => {
          this.#follow()
          this.#onReady()
        },
        onCancelled: () => this.#changeState('connecting', ['consuming', 'standby']),
        onLost: (loss) => {
          this.#hasDeliveries = false
          this.#changeState('connecting', ['consuming', 'standby'])
          this.#flow.lose(loss)
        },
      },
    })
    this.#stallWatch = watchForStall({
      intervalMs: options.stallCheckMs,
      logger: logger.child({ queue }),
      isIdle: () => this.#state === 'consuming' && this.#flow.inFlight === 0,
      countDelivered: () => this.#flow.received,
      countWaiting: () => this.#subscription.countWaiting(),
      isSettled: () => this.#subscription.isSettled,
      countAttempts: () => this.#subscription.attempts,
      onStalled: () => {
        this.#stalls += 1
        this.#subscription.renew()
      },
      onStuck: (error) => {
        this.#stalls += 1
        this.#subscription.restart(error)
      },
    })
    void this.#run()
  }

  get state(): ConsumerState {
    return this.#state
  }

  /** It is done with its deliveries, and closes its connections. */
  get isDisconnecting(): boolean {
    return this.#disconnecting !== undefined
  }

  /** All connections that it needs at present are open, and none is blocked. */
  get connected(): boolean {
    return this.#subscription.connected && this.#forwarder.connected
  }

  get mode(): PrefetchMode {
    return this.#flow.mode
  }

  get inFlight(): number {
    return this.#flow.inFlight
  }

  get isActive(): boolean {
    return this.#keepsOrder ? this.#hasDeliveries : this.#state === 'consuming'
  }

  get stalls(): number {
    return this.#stalls
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** Why it does not consume, or cannot send copies. */
  get presentError(): Error | undefined {
    return this.#failure ?? this.#subscription.presentError ?? this.#forwarder.presentError
  }

  onState(listener: (state: ConsumerState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  pause(reason: DeferError): void {
    const isPaused = this.#changeState('paused', ['connecting', 'consuming', 'standby']) || this.#state === 'paused'
    if (isPaused) this.#flow.pause(reason)
  }

  resume(): void {
    if (!this.#changeState('connecting', ['paused'])) return
    this.#flow.resume()
    // At a queue that keeps its order it may have stayed registered.
    if (this.#keepsOrder && this.#subscription.isRegistered) this.#follow()
  }

  /** The broker has the consumer registered. */
  #follow(): void {
    this.#changeState(this.#keepsOrder && !this.#hasDeliveries ? 'standby' : 'consuming', ['connecting'])
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #run(): Promise<void> {
    try {
      await this.#subscription.run()
    } catch (error) {
      this.#failure = error as Error
      this.#stallWatch.stop()
      this.#flow.abort()
      this.#changeState('failed', ['connecting', 'paused', 'draining'])
      await this.#subscription.close()
      this.#onStopped(this.#failure)
    }
  }

  async #drain(): Promise<void> {
    if (!this.#changeState('draining', ['connecting', 'consuming', 'standby', 'paused'])) return
    void this.#subscription.end()
    await Promise.race([this.#flow.drain(), this.stopped])
    await this.#disconnect()
  }

  async #close(): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'failed') return
    this.#changeState('draining', ['connecting', 'consuming', 'standby', 'paused'])
    this.#flow.abort()
    await this.#disconnect()
  }

  /** Once for a drain and for the close that cuts it short. */
  #disconnect(): Promise<void> {
    this.#disconnecting ??= this.#disconnectOnce()
    return this.#disconnecting
  }

  /** The channel first: copies that are not confirmed by then belong to deliveries that come again. */
  async #disconnectOnce(): Promise<void> {
    this.#stallWatch.stop()
    await this.#subscription.close()
    await this.#forwarder.close()
    if (this.#changeState('stopped', ['draining'])) this.#onStopped()
  }

  #changeState(next: ConsumerState, from: readonly ConsumerState[]): boolean {
    if (!from.includes(this.#state)) return false
    this.#logger.info({ queue: this.queue, from: this.#state, state: next }, 'Consumer state changed')
    this.#state = next
    for (const listener of this.#listeners) this.#tell(listener, next)
    return true
  }

  /** A listener that throws must not end the channel whose event it hears of. */
  #tell(listener: (state: ConsumerState) => void, state: ConsumerState): void {
    try {
      listener(state)
    } catch (error) {
      this.#logger.error({ err: error }, 'A listener of the consumer’s state has failed')
    }
  }
}
