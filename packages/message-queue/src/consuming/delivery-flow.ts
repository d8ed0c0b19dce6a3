import { setMaxListeners } from 'node:events'
import { type WorkQueueName, workQueues } from '@mono/rascal-config'
import { DeferError } from '../errors/handler-errors.js'
import { InvalidDeliveryError } from '../errors/invalid-delivery-error.js'
import type { Logger } from '../logger.js'
import type { Handled, Held, Intake, IntakeOptions } from './handling/intake.js'
import { parseDelivery } from './reading/parse-delivery.js'
import type { Delivery } from './receiving/delivery.js'
import { DeliveryTurns, type PrefetchMode } from './receiving/delivery-turns.js'
import type { Settler } from './settling/settler.js'

export interface DeliveryFlowOptions {
  queue: WorkQueueName
  logger: Logger
  prefetch: number
  handlerTimeoutMs: number
  createIntake(options: IntakeOptions): Intake
  settler: Settler
  /** Deliveries to take at a time from now on; 0: none. */
  onPrefetch(prefetch: number): void
}

/**
 * The way of a consumer's deliveries: received, read on their turn, handled, settled. Each goes through once and is
 * settled exactly once.
 *
 * - flowing: a delivery has its turn when `DeliveryTurns` says so
 * - paused: deliveries that have not reached their handler are deferred, with the reason given
 * - ending: deliveries that arrive go back to the queue
 */
export class DeliveryFlow {
  readonly #options: DeliveryFlowOptions
  readonly #intake: Intake
  readonly #turns: DeliveryTurns<Delivery>
  readonly #inFlight = new Set<Delivery>()
  readonly #aborting = new AbortController()
  #pauseReason: DeferError | undefined
  #isEnding = false
  #received = 0
  #onIdle = () => {}

  constructor(options: DeliveryFlowOptions) {
    this.#options = options
    // Every handler at work listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#aborting.signal)
    this.#intake = options.createIntake({
      handlerTimeoutMs: options.handlerTimeoutMs,
      signal: this.#aborting.signal,
      onHandled: (held, handled) => this.#handled(held, handled),
    })
    this.#turns = new DeliveryTurns({
      onTurn: (delivery) => this.#begin(delivery),
      onMode: (mode) => this.#onMode(mode),
    })
  }

  get mode(): PrefetchMode {
    return this.#turns.mode
  }

  /** Deliveries that are received and not yet settled. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Deliveries so far. */
  get received(): number {
    return this.#received
  }

  /** Deliveries to take at a time. */
  get prefetch(): number {
    if (this.#pauseReason !== undefined) return 0
    return this.#turns.mode === 'normal' ? this.#options.prefetch : 1
  }

  receive(delivery: Delivery): void {
    this.#inFlight.add(delivery)
    this.#received += 1
    if (this.#isEnding) void this.#track(delivery, this.#options.settler.return(delivery))
    else if (this.#pauseReason === undefined) this.#turns.take(delivery, delivery)
    else this.#defer(delivery, this.#pauseReason)
  }

  /** Until `resume`, defers what has not reached its handler. Another reason takes the place of the first. */
  pause(reason: DeferError): void {
    const wasPaused = this.#pauseReason !== undefined
    this.#pauseReason = reason
    if (wasPaused) return
    // Before anything is settled, which would bring more.
    this.#options.onPrefetch(0)
    for (const delivery of this.#turns.dropWaiting()) this.#defer(delivery, reason)
    for (const held of this.#intake.discard()) this.#handled(held, { handlerMs: 0, failure: { thrown: reason } })
  }

  resume(): void {
    this.#pauseReason = undefined
    this.#turns.beginTrial()
    this.#options.onPrefetch(this.prefetch)
  }

  /** The channel is lost: the broker gives its deliveries to somebody else, so what is not begun must not be begun here too. */
  lose(): void {
    const { settler } = this.#options
    const waiting = this.#isEnding ? this.#turns.dropWaiting() : this.#turns.beginAgain()
    for (const delivery of waiting) void this.#track(delivery, settler.return(delivery))
    for (const { delivery } of this.#intake.discard()) this.#finish(delivery, settler.return(delivery))
  }

  /** Takes no more. Resolves when nothing is in flight. */
  drain(): Promise<void> {
    this.#isEnding = true
    this.#intake.flush()
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#inFlight.size === 0) resolve()
    })
  }

  /** Takes no more, aborts the handlers' signal, and gives back what is not settled. */
  abort(): void {
    this.#isEnding = true
    this.#intake.discard()
    this.#turns.dropWaiting()
    this.#aborting.abort(new Error('The consumer was closed.'))
    for (const delivery of this.#inFlight) void this.#track(delivery, this.#options.settler.return(delivery))
  }

  /** Its body is read on its turn and not before: a message may kill by that, and must not take others along. */
  #begin(delivery: Delivery): void {
    const held = this.#read(delivery)
    if (held === undefined) return
    this.#intake.take(held)
    // Alone it has no company to wait for.
    if (delivery.alone || this.#turns.mode === 'cautious') this.#intake.flush()
  }

  /** The broker's TTL starts anew whenever a message enters a queue, so the age is looked at here. */
  #read(delivery: Delivery): Held | undefined {
    const { queue, settler } = this.#options
    try {
      const message = parseDelivery(queue, delivery.message, delivery.headers, delivery.firstSeen)
      const ageMs = Date.now() - message.publishedAt.getTime()
      const { ttlMs } = workQueues[queue]
      if (ageMs <= ttlMs) return { delivery, message }
      const reason = `age: expected at most ${ttlMs} ms since it was published, found ${ageMs}`
      const failure = { thrown: new InvalidDeliveryError('EXPIRED', reason) }
      this.#finish(delivery, settler.settle({ delivery, message }, { handlerMs: 0, failure }))
    } catch (error) {
      this.#finish(delivery, settler.deadLetter(delivery, error))
    }
    return undefined
  }

  #handled(held: Held, handled: Handled): void {
    const { delivery } = held
    const isDeferred = handled.failure?.thrown instanceof DeferError
    // At its end a consumer takes no more, and a handler that was told to stop has shown nothing.
    if (!isDeferred && !this.#isEnding) this.#turns.handled(delivery)
    const { onPrefetch, settler } = this.#options
    // A listener that hears of the failed trial may pause; the next delivery must not be on its way by then.
    const failsTrial = isDeferred && delivery.alone && this.#turns.mode === 'trial'
    if (failsTrial) onPrefetch(0)
    const settling = settler.settle(held, handled)
    this.#finish(delivery, failsTrial ? settling.finally(() => onPrefetch(this.prefetch)) : settling)
  }

  #defer(delivery: Delivery, reason: DeferError): void {
    void this.#track(delivery, this.#options.settler.defer(delivery, reason))
  }

  #onMode(mode: PrefetchMode): void {
    const { logger, onPrefetch, queue } = this.#options
    onPrefetch(this.prefetch)
    const data = { queue, mode }
    if (mode === 'cautious') logger.warn(data, 'A message was in flight when a consumer ended; one is taken at a time')
    else logger.info(data, 'Consumer mode changed')
  }

  /** Ends the turn of a delivery when it is settled. */
  #finish(delivery: Delivery, settling: Promise<void>): void {
    void this.#track(delivery, settling).then(() => this.#turns.settled(delivery))
  }

  async #track(delivery: Delivery, settling: Promise<void>): Promise<void> {
    try {
      await settling
    } catch (error) {
      this.#options.logger.error({ err: error }, 'Settling a delivery failed')
    }
    this.#inFlight.delete(delivery)
    if (this.#inFlight.size === 0) this.#onIdle()
  }
}
