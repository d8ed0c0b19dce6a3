import { setMaxListeners } from 'node:events'
import { type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { DeferError } from '../errors/handler-errors.js'
import { InvalidDeliveryError } from '../errors/invalid-delivery-error.js'
import type { Logger } from '../logger.js'
import type { Handled, Held } from './handling/intake.js'
import { ageOf } from './reading/age-of.js'
import { parseDelivery } from './reading/parse-delivery.js'
import type { Delivery } from './receiving/delivery.js'
import type { PrefetchMode } from './receiving/delivery-turns.js'
import type { DeliverySteps, Loss, Schedule } from './scheduling/schedule.js'
import type { Settler } from './settling/settler.js'

/** The parts of a flow that a schedule is made of. */
export interface ScheduleParts {
  steps: DeliverySteps
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
}

export interface DeliveryFlowOptions {
  queue: WorkQueueName
  logger: Logger
  createSchedule(parts: ScheduleParts): Schedule
  settler: Settler
  /** Deliveries to take at a time from now on; 0: none. */
  onPrefetch(prefetch: number): void
}

/**
 * The way of a consumer's deliveries: received, read, handled, settled. Each goes through once and is settled exactly
 * once; its schedule says when.
 */
export class DeliveryFlow {
  readonly #options: DeliveryFlowOptions
  readonly #schedule: Schedule
  /** In the order of delivery. */
  readonly #inFlight = new Set<Delivery>()
  readonly #aborting = new AbortController()
  #received = 0
  #onIdle = () => {}

  constructor(options: DeliveryFlowOptions) {
    this.#options = options
    // Every handler at work listens; Node warns of a leak above ten.
    setMaxListeners(0, this.#aborting.signal)
    this.#schedule = options.createSchedule({ steps: this.#createSteps(), signal: this.#aborting.signal })
  }

  get mode(): PrefetchMode {
    return this.#schedule.mode
  }

  /** Deliveries that are received and not yet settled. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** When the oldest of them was received. */
  get oldestSeen(): Date | undefined {
    const [oldest] = this.#inFlight
    return oldest?.firstSeen
  }

  /** Deliveries so far. */
  get received(): number {
    return this.#received
  }

  /** Deliveries to take at a time. */
  get prefetch(): number {
    return this.#schedule.prefetch
  }

  receive(delivery: Delivery): void {
    this.#inFlight.add(delivery)
    this.#received += 1
    this.#schedule.take(delivery)
  }

  /** Until `resume`, begins no work. Another reason takes the place of the first. */
  pause(reason: DeferError): void {
    this.#schedule.pause(reason)
  }

  resume(): void {
    this.#schedule.resume()
  }

  /** The channel is lost. */
  lose(loss: Loss): void {
    this.#schedule.lose(loss)
  }

  /** Takes no more. Resolves when what can be done with what it has is done. */
  drain(): Promise<void> {
    return this.#schedule.drain()
  }

  /** Begins nothing more, and aborts the handlers' signal. */
  abort(): void {
    this.#aborting.abort(new Error('The consumer was closed.'))
    this.#schedule.abort()
  }

  #createSteps(): DeliverySteps {
    const { onPrefetch, settler } = this.#options
    return {
      read: (delivery) => this.#read(delivery),
      settle: (held, handled, options) => this.#track(held.delivery, settler.settle(held, handled, options)),
      keep: (held, handled, options) => settler.keep(held, handled, options),
      defer: (delivery, reason) => this.#track(delivery, settler.defer(delivery, reason)),
      deadLetter: (delivery, reason) => this.#track(delivery, settler.deadLetter(delivery, reason)),
      return: (delivery) => this.#track(delivery, settler.return(delivery)),
      inFlight: () => this.#inFlight,
      whenIdle: () => this.#whenIdle(),
      setPrefetch: onPrefetch,
    }
  }

  /** The broker's TTL starts anew whenever a message enters a queue, so the age is looked at here. */
  #read(delivery: Delivery): Held | Promise<void> {
    const { queue, settler } = this.#options
    try {
      const message = parseDelivery(queue, delivery.message, delivery.headers, delivery.firstSeen)
      const ageMs = ageOf(message)
      const { ttlMs } = workQueues[queue]
      if (ageMs <= ttlMs) return { delivery, message }
      const reason = `age: expected at most ${ttlMs} ms since ${message.progressAt ? 'a part of it was done' : 'it was published'}, found ${ageMs}`
      const expired: Handled = { handlerMs: 0, failure: { thrown: new InvalidDeliveryError('EXPIRED', reason) } }
      return this.#track(delivery, settler.settle({ delivery, message }, expired))
    } catch (error) {
      return this.#track(delivery, settler.deadLetter(delivery, error))
    }
  }

  #whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#inFlight.size === 0) resolve()
    })
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
