import { setMaxListeners } from 'node:events'
import { createWorkerBrokerConfig, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { AckOrNack } from 'rascal'
import type { Logger } from '../logger.js'
import { BrokerLink } from './broker-link.js'
import { Caution, type IntakeMode } from './caution.js'
import type { ResolvedConsumeOptions } from './consume-options.js'
import type { Consumer, ConsumerState } from './consumer.js'
import { Delivery } from './delivery.js'
import { DeferError } from './handler-errors.js'
import type { Handled, Held, Intake, IntakeOptions } from './intake.js'
import { InvalidDeliveryError } from './invalid-delivery-error.js'
import { parseDelivery } from './parse-delivery.js'
import { Settler } from './settler.js'
import { type StallWatch, watchForStall } from './stall-watch.js'

export interface QueueConsumerOptions<Q extends WorkQueueName> extends ResolvedConsumeOptions {
  queue: Q
  urls: readonly string[]
  topologyMode: 'declare' | 'check'
  /** Unique in this process. */
  connectionName: string
  workerName: string
  logger: Logger
  createIntake(options: IntakeOptions<Q>): Intake<Q>
}

/** One consumer of one queue: receives, checks, hands to the intake, settles. */
export class QueueConsumer<Q extends WorkQueueName> implements Consumer {
  readonly queue: Q
  /** Resolves when the broker has registered the consumer for the first time; rejects if that will not be. */
  readonly ready: Promise<void>
  readonly stopped: Promise<void>
  readonly #logger: Logger
  readonly #link: BrokerLink
  readonly #intake: Intake<Q>
  readonly #caution: Caution<Delivery>
  readonly #prefetch: number
  readonly #stallWatch: StallWatch
  readonly #settler: Settler
  /** Those whose channel is gone. */
  readonly #orphaned = new WeakSet<Delivery>()
  readonly #inHand = new Set<Delivery>()
  readonly #aborting = new AbortController()
  #state: ConsumerState = 'connecting'
  #failure: Error | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #pauseReason: DeferError | undefined
  #delivered = 0
  #stalls = 0
  #onIdle = () => {}
  #onReady = () => {}
  #onStopped: (failure?: Error) => void = () => {}

  constructor(options: QueueConsumerOptions<Q>) {
    const { queue, createIntake, handlerTimeoutMs } = options
    this.queue = queue
    this.#logger = options.logger
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
    // Every handler at work listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#aborting.signal)
    this.#settler = new Settler({ ...options, hasChannel: (delivery) => !this.#orphaned.has(delivery) })
    this.#intake = createIntake({
      handlerTimeoutMs,
      signal: this.#aborting.signal,
      onHandled: (held, handled) => this.#settle(held, handled),
    })
    this.#caution = new Caution({
      onTurn: (delivery) => this.#begin(delivery),
      onMode: (mode) => this.#onMode(mode),
    })
    this.#prefetch = options.prefetch
    this.#link = new BrokerLink({
      connectionName: options.connectionName,
      subscription: queue,
      createConfig: (connectionName) => createWorkerBrokerConfig({ ...options, connectionName }),
      logger: options.logger,
      prefetch: 1,
      onMessage: (message, _content, ackOrNack) => this.#receive(message, ackOrNack),
      onConsuming: () => {
        this.#changeState('consuming', ['connecting'])
        this.#onReady()
      },
      onCancelled: () => this.#changeState('connecting', ['consuming']),
      onLost: () => {
        for (const delivery of this.#inHand) this.#orphaned.add(delivery)
        this.#changeState('connecting', ['consuming'])
        this.#forgetWaiting()
      },
    })
    this.#stallWatch = watchForStall({
      intervalMs: options.stallCheckMs,
      logger: options.logger.child({ queue }),
      isIdle: () => this.#state === 'consuming' && this.#inHand.size === 0,
      countDelivered: () => this.#delivered,
      countWaiting: () => this.#link.countWaiting(),
      onStalled: () => {
        this.#stalls += 1
        this.#link.renew()
      },
    })
    void this.#open()
  }

  get state(): ConsumerState {
    return this.#state
  }

  get mode(): IntakeMode {
    return this.#caution.mode
  }

  get inFlight(): number {
    return this.#inHand.size
  }

  get stalls(): number {
    return this.#stalls
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  pause(reason: DeferError): void {
    if (this.#state === 'paused') this.#pauseReason = reason
    if (!this.#changeState('paused', ['connecting', 'consuming'])) return
    this.#pauseReason = reason
    // Before anything is settled, which would bring more.
    this.#applyPrefetch()
    for (const delivery of this.#caution.dropWaiting()) this.#putOff(delivery, reason)
    for (const held of this.#intake.discard()) this.#settle(held, { handlerMs: 0, failure: { thrown: reason } })
  }

  resume(): void {
    if (!this.#changeState('connecting', ['paused'])) return
    this.#pauseReason = undefined
    this.#caution.beginTrial()
    this.#applyPrefetch()
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    try {
      await this.#link.open()
    } catch (error) {
      this.#failure = error as Error
      this.#stallWatch.stop()
      this.#changeState('failed', ['connecting', 'paused', 'draining'])
      await this.#link.close()
      this.#onStopped(this.#failure)
    }
  }

  async #drain(): Promise<void> {
    if (!this.#changeState('draining', ['connecting', 'consuming', 'paused'])) return
    this.#link.cancel()
    this.#intake.flush()
    await Promise.race([this.#idle(), this.stopped])
    await this.#closeLink()
  }

  async #close(): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'failed') return
    this.#changeState('draining', ['connecting', 'consuming', 'paused'])
    this.#intake.discard()
    this.#caution.dropWaiting()
    this.#aborting.abort(new Error('The consumer was closed.'))
    for (const delivery of this.#inHand) void this.#track(delivery, this.#settler.return(delivery))
    await this.#closeLink()
  }

  async #closeLink(): Promise<void> {
    this.#stallWatch.stop()
    await this.#link.close()
    if (this.#changeState('stopped', ['draining'])) this.#onStopped()
  }

  #receive(message: ConsumeMessage, ackOrNack: AckOrNack): void {
    const delivery = new Delivery(this.queue, message, ackOrNack)
    this.#inHand.add(delivery)
    this.#delivered += 1
    if (this.#isEnding()) {
      void this.#track(delivery, this.#settler.return(delivery))
      return
    }
    if (this.#pauseReason === undefined) this.#caution.take(delivery, delivery)
    else this.#putOff(delivery, this.#pauseReason)
  }

  /** Its body is read on its turn and not before: a message may kill by that, and must not take others along. */
  #begin(delivery: Delivery): void {
    const held = this.#read(delivery)
    if (held === undefined) return
    this.#intake.take(held)
    // Alone it has no company to wait for.
    if (delivery.alone || this.#caution.mode === 'cautious') this.#intake.flush()
  }

  /** The broker's TTL starts anew whenever a message enters a queue, so the age is looked at here. */
  #read(delivery: Delivery): Held<Q> | undefined {
    try {
      const message = parseDelivery(this.queue, delivery.message, delivery.headers, delivery.firstSeen)
      const ageMs = Date.now() - message.publishedAt.getTime()
      const { ttlMs } = workQueues[this.queue]
      if (ageMs <= ttlMs) return { delivery, message }
      const reason = `age: expected at most ${ttlMs} ms since it was published, found ${ageMs}`
      const failure = { thrown: new InvalidDeliveryError('EXPIRED', reason) }
      const held = { delivery, message } as Held<WorkQueueName>
      this.#finish(delivery, this.#settler.settle(held, { handlerMs: 0, failure }))
    } catch (error) {
      this.#finish(delivery, this.#settler.refuse(delivery, error))
    }
    return undefined
  }

  /** With their channel gone the broker gives them to somebody else: what is not begun must not be begun here too. */
  #forgetWaiting(): void {
    for (const delivery of this.#caution.dropWaiting()) void this.#track(delivery, this.#settler.forget(delivery))
    for (const { delivery } of this.#intake.discard()) this.#finish(delivery, this.#settler.forget(delivery))
  }

  #putOff(delivery: Delivery, reason: DeferError): void {
    void this.#track(delivery, this.#settler.putOff(delivery, reason))
  }

  #applyPrefetch(): void {
    if (this.#state === 'paused') this.#link.setPrefetch(0)
    else this.#link.setPrefetch(this.#caution.mode === 'normal' ? this.#prefetch : 1)
  }

  #onMode(mode: IntakeMode): void {
    this.#applyPrefetch()
    const data = { queue: this.queue, mode }
    if (mode === 'cautious')
      this.#logger.warn(data, 'A message has been in hand when a worker ended; one is taken at a time')
    else this.#logger.info(data, 'Consumer mode changed')
  }

  #settle(held: Held<Q>, handled: Handled): void {
    const { delivery } = held
    const isDeferred = handled.failure?.thrown instanceof DeferError
    // At its end a consumer takes no more, and what its handlers were told to leave has survived nothing.
    if (!isDeferred && !this.#isEnding()) this.#caution.survived(delivery)
    const failsTrial = isDeferred && delivery.alone && this.#caution.mode === 'trial'
    // Who hears of the deferral may pause; the next one must not be on its way by then.
    if (failsTrial) this.#link.setPrefetch(0)
    const settling = this.#settler.settle(held as Held<WorkQueueName>, handled)
    this.#finish(delivery, failsTrial ? settling.finally(() => this.#applyPrefetch()) : settling)
  }

  #isEnding(): boolean {
    return this.#state === 'draining' || this.#state === 'stopped' || this.#state === 'failed'
  }

  /** Of what had its turn. */
  #finish(delivery: Delivery, settling: Promise<void>): void {
    void this.#track(delivery, settling).then(() => this.#caution.done(delivery))
  }

  async #track(delivery: Delivery, settling: Promise<void>): Promise<void> {
    try {
      await settling
    } catch (error) {
      this.#logger.error({ err: error }, 'Settling a delivery failed')
    }
    this.#inHand.delete(delivery)
    if (this.#inHand.size === 0) this.#onIdle()
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#inHand.size === 0) resolve()
    })
  }

  #changeState(next: ConsumerState, from: readonly ConsumerState[]): boolean {
    if (!from.includes(this.#state)) return false
    this.#logger.info({ queue: this.queue, from: this.#state, state: next }, 'Consumer state changed')
    this.#state = next
    return true
  }
}
