import type { WorkQueueName } from '@mono/rascal-config'
import { DeferError } from '../../errors/handler-errors.js'
import type { Logger } from '../../logger.js'
import type { Handled, Held, Intake, IntakeOptions } from '../handling/intake.js'
import type { Delivery } from '../receiving/delivery.js'
import { DeliveryTurns, type PrefetchMode } from '../receiving/delivery-turns.js'
import { PrefetchBySize } from './prefetch-by-size.js'
import type { DeliverySteps, Schedule } from './schedule.js'

export interface CompetingScheduleOptions {
  queue: WorkQueueName
  logger: Logger
  steps: DeliverySteps
  prefetch: number
  handlerTimeoutMs: number
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
  createIntake(options: IntakeOptions): Intake
}

/**
 * For a queue whose consumers compete, where a message may overtake another:
 *
 * - flowing: a delivery has its turn when `DeliveryTurns` says so
 * - paused: deliveries that have not reached their handler are deferred, with the reason given
 * - ending: deliveries that arrive go back to the queue
 */
export class CompetingSchedule implements Schedule {
  readonly #options: CompetingScheduleOptions
  readonly #steps: DeliverySteps
  readonly #intake: Intake
  readonly #turns: DeliveryTurns<Delivery>
  readonly #sizes = new PrefetchBySize()
  #pauseReason: DeferError | undefined
  #isEnding = false

  constructor(options: CompetingScheduleOptions) {
    this.#options = options
    this.#steps = options.steps
    this.#intake = options.createIntake({
      handlerTimeoutMs: options.handlerTimeoutMs,
      signal: options.signal,
      othersMayWait: () => this.#steps.inFlight().size >= this.prefetch,
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

  get prefetch(): number {
    if (this.#pauseReason !== undefined) return 0
    return this.#turns.mode === 'normal' ? Math.min(this.#options.prefetch, this.#sizes.limit) : 1
  }

  take(delivery: Delivery): void {
    // Before its turn, which may ask for as many as fit: then they are not asked for again.
    const mayAsk = this.#turns.mode === 'normal'
    const isLimitNew = this.#sizes.notice(delivery.message.content.length)
    if (this.#isEnding) void this.#steps.return(delivery)
    else if (this.#pauseReason === undefined) this.#turns.take(delivery, delivery)
    else void this.#steps.defer(delivery, this.#pauseReason)
    if (isLimitNew && mayAsk && !this.#isEnding && this.#turns.mode === 'normal') this.#steps.setPrefetch(this.prefetch)
  }

  pause(reason: DeferError): void {
    const wasPaused = this.#pauseReason !== undefined
    this.#pauseReason = reason
    if (wasPaused) return
    // Before anything is settled, which would bring more.
    this.#steps.setPrefetch(0)
    for (const delivery of this.#turns.dropWaiting()) void this.#steps.defer(delivery, reason)
    for (const held of this.#intake.discard()) this.#handled(held, { handlerMs: 0, failure: { thrown: reason } })
  }

  resume(): void {
    this.#pauseReason = undefined
    this.#turns.beginTrial()
    this.#steps.setPrefetch(this.prefetch)
  }

  lose(): void {
    const waiting = this.#isEnding ? this.#turns.dropWaiting() : this.#turns.beginAgain()
    for (const delivery of waiting) void this.#steps.return(delivery)
    for (const { delivery } of this.#intake.discard()) this.#finish(delivery, this.#steps.return(delivery))
  }

  drain(): Promise<void> {
    this.#isEnding = true
    this.#intake.flush()
    return this.#steps.whenIdle()
  }

  /** Gives back what is not settled. */
  abort(): void {
    this.#isEnding = true
    this.#intake.discard()
    this.#turns.dropWaiting()
    for (const delivery of this.#steps.inFlight()) void this.#steps.return(delivery)
  }

  /** Its body is read on its turn and not before: a message may kill by that, and must not take others along. */
  #begin(delivery: Delivery): void {
    const read = this.#steps.read(delivery)
    if (read instanceof Promise) {
      this.#finish(delivery, read)
      return
    }
    this.#intake.take(read)
    // No company will come: it is alone, or the broker sends no more until something is settled.
    const isFull = this.#steps.inFlight().size >= this.prefetch
    if (delivery.alone || isFull || this.#turns.mode === 'cautious') this.#intake.flush()
  }

  #handled(held: Held, handled: Handled): void {
    const { delivery } = held
    const isDeferred = handled.failure?.thrown instanceof DeferError
    // At its end a consumer takes no more, and a handler that was told to stop has shown nothing.
    if (!isDeferred && !this.#isEnding) this.#turns.handled(delivery)
    // A listener that hears of the failed trial may pause; the next delivery must not be on its way by then.
    const failsTrial = isDeferred && delivery.alone && this.#turns.mode === 'trial'
    if (failsTrial) this.#steps.setPrefetch(0)
    const settling = this.#steps.settle(held, handled)
    this.#finish(delivery, failsTrial ? settling.finally(() => this.#steps.setPrefetch(this.prefetch)) : settling)
  }

  #onMode(mode: PrefetchMode): void {
    const { logger, queue } = this.#options
    this.#steps.setPrefetch(this.prefetch)
    const data = { queue, mode }
    if (mode === 'cautious') logger.warn(data, 'A message was in flight when a consumer ended; one is taken at a time')
    else logger.info(data, 'Consumer mode changed')
  }

  /** Ends the turn of a delivery when it is settled. */
  #finish(delivery: Delivery, settling: Promise<void>): void {
    void settling.then(() => this.#turns.settled(delivery))
  }
}
