import type { WorkQueueName } from '@mono/rascal-config'
import { backoffMs, sleep } from '@mono/waiting'
import { DeferError, PermanentError } from '../../errors/handler-errors.js'
import type { Logger } from '../../logger.js'
import type { Handled, Held, Intake, IntakeOptions } from '../handling/intake.js'
import type { Delivery } from '../receiving/delivery.js'
import type { PrefetchMode } from '../receiving/delivery-turns.js'
import { type Entry, type Lane, Lanes } from './lanes.js'
import { orderingKey } from './ordering-key.js'
import type { DeliverySteps, Loss, Schedule } from './schedule.js'
import type { TrialJournal } from './trial-journal.js'
import { trialKey } from './trial-key.js'

export interface OrderedScheduleOptions {
  queue: WorkQueueName
  logger: Logger
  steps: DeliverySteps
  handlerTimeoutMs: number
  /** The broker's `consumer_timeout`, in milliseconds. */
  consumerTimeoutMs: number
  journal: TrialJournal | undefined
  /** Aborted when the consumer is closed. */
  signal: AbortSignal
  createIntake(options: IntakeOptions): Intake
}

/**
 * The same in every replica: if a consumer that has taken fewer than its predecessor dies, what it held comes back behind
 * the rest of what the predecessor had (seen with RabbitMQ 3.10, 4.0 and 4.3). The one exception is taking one at a time,
 * see below.
 */
const orderedPrefetch = 500
/** Deaths of a consumer with the message in hand, from which on it is tried alone. */
const trialFrom = 3
/** Tries that ended the process, after which a message is given up. */
const deadlyTries = 3
const suspectsAtOnce = 4
const journalBackoff = { first: 100, max: 3_000 }

/**
 * For a queue that keeps its order. The broker delivers to one consumer, in order, and this hands the messages of a
 * conversation to the handler in that order, those of different ones side by side. What cannot be done now stays in hand,
 * in its place: nothing is requeued, and no registration is cancelled, since either would let the next consumer have what
 * comes later before it has what comes first.
 *
 * - A message that is to be tried again holds back its own conversation only.
 * - Paused, everything stays in hand.
 * - Nothing may stay in hand as long as the broker's consumer timeout: RabbitMQ 4.3 then takes back single messages, which
 *   breaks the order. So after a third of it the channel is closed, which gives back all, in order; while paused, the
 *   consumer registers again only when it is resumed.
 * - A message that was in hand at three deaths is tried alone, and its tries are written down in the journal. After three
 *   that were not survived it is given up. Without a journal, and after a frame that nobody can read, one is taken at a
 *   time until a message comes that was in hand at no death: the broker's delivery limit then ends the deadly one alone.
 *   A consumer that is lost for another reason meanwhile puts the one that it holds behind the others; with many at a time
 *   hundreds of innocent messages would be given up.
 */
export class OrderedSchedule implements Schedule {
  readonly #options: OrderedScheduleOptions
  readonly #steps: DeliverySteps
  readonly #intake: Intake
  readonly #lanes = new Lanes()
  readonly #byHeld = new Map<Held, Run>()
  /** Not read yet, in the order of delivery. */
  #unread: Delivery[] = []
  #prefetch = orderedPrefetch
  #batches = 0
  #suspects = 0
  /** Messages that the handler has or that are being settled, and a trial. */
  #busy = 0
  #isTrying = false
  #isPaused = false
  /** The end of the channel that is to be closed: nothing is begun until then. */
  #leaving: AbortSignal | undefined
  /** Left while paused. */
  #isAway = false
  #isEnding = false
  #isPlanned = false
  readonly #clock: NodeJS.Timeout
  #onIdle = () => {}

  constructor(options: OrderedScheduleOptions) {
    this.#options = options
    this.#steps = options.steps
    this.#intake = options.createIntake({
      handlerTimeoutMs: Math.min(options.handlerTimeoutMs, Math.floor(options.consumerTimeoutMs / 3)),
      signal: options.signal,
      othersMayWait: () => this.#steps.inFlight().size >= this.prefetch,
      onHandled: (held, handled) => this.#handled(held, handled),
    })
    this.#clock = setInterval(() => this.#lookAtClock(), Math.ceil(options.consumerTimeoutMs / 60))
    this.#clock.unref()
  }

  get mode(): PrefetchMode {
    return this.#isTrying || this.#prefetch === 1 ? 'cautious' : 'normal'
  }

  get prefetch(): number {
    return this.#isAway ? 0 : this.#prefetch
  }

  get #isLeaving(): boolean {
    return this.#leaving !== undefined && !this.#leaving.aborted
  }

  take(delivery: Delivery): void {
    this.#unread.push(delivery)
    this.#adjustPrefetch(delivery)
    this.#advanceSoon()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#lanes.endDeferrals()
    this.#advanceSoon()
    if (!this.#isAway) return
    this.#isAway = false
    this.#steps.setPrefetch(this.prefetch)
  }

  lose({ isUnreadable }: Loss): void {
    const waiting = [...this.#lanes.discardLost().map(({ delivery }) => delivery), ...this.#unread.filter(isLost)]
    this.#unread = this.#unread.filter((delivery) => !isLost(delivery))
    for (const delivery of waiting) void this.#steps.return(delivery)
    this.#advanceSoon()
    if (!isUnreadable || this.#prefetch === 1) return
    this.#prefetch = 1
    this.#steps.setPrefetch(this.prefetch)
  }

  drain(): Promise<void> {
    this.#end()
    return this.#whenIdle()
  }

  abort(): void {
    this.#end()
  }

  #end(): void {
    this.#isEnding = true
    clearInterval(this.#clock)
  }

  #whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#busy === 0) resolve()
    })
  }

  /** Once for all that arrives, or is settled, in one turn of the event loop. */
  #advanceSoon(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.#advance()
    })
  }

  #advance(): void {
    if (this.#isPaused || this.#isLeaving || this.#isEnding || this.#isTrying) return
    this.#readAhead()
    this.#beginBatches()
    const [next] = this.#unread
    if (next === undefined || this.#busy > 0) return
    this.#unread.shift()
    void this.#try(next)
  }

  /** As far as a message that has to be tried alone. */
  #readAhead(): void {
    const end = this.#unread.findIndex((delivery) => this.#needsTrial(delivery))
    for (const delivery of this.#unread.splice(0, end === -1 ? this.#unread.length : end)) this.#read(delivery)
  }

  #read(delivery: Delivery): Entry | undefined {
    const read = this.#steps.read(delivery)
    if (!(read instanceof Promise)) return this.#lanes.add(orderingKey(read.message), read)
    this.#busy += 1
    void read.then(() => this.#noLongerBusy())
    return undefined
  }

  #beginBatches(): void {
    const { size } = this.#intake
    const sideBySide = size === 1
    while (sideBySide || this.#batches === 0) {
      const batch = this.#lanes.takeBatch(size)
      if (batch.length === 0) break
      this.#batches += 1
      void this.#begin(batch).then(() => {
        this.#batches -= 1
        this.#advanceSoon()
      })
    }
    while (this.#suspects < suspectsAtOnce) {
      const suspect = this.#lanes.takeSuspect()
      if (suspect === undefined) break
      this.#suspects += 1
      void this.#begin([suspect]).then(() => {
        this.#suspects -= 1
        this.#advanceSoon()
      })
    }
  }

  /** Resolves when the handler is done with them. */
  #begin(entries: readonly Entry[]): Promise<void> {
    return new Promise((resolve) => {
      const run: Run = { entries: new Map(), kept: new Set(), waits: new Map(), onDone: resolve }
      for (const entry of entries) {
        run.entries.set(entry.held, entry)
        this.#byHeld.set(entry.held, run)
        this.#busy += 1
        this.#intake.take(entry.held)
      }
      this.#intake.flush()
    })
  }

  #handled(held: Held, handled: Handled): void {
    const run = this.#byHeld.get(held)
    const entry = run?.entries.get(held)
    if (run === undefined || entry === undefined) return
    this.#byHeld.delete(held)
    run.entries.delete(held)
    this.#conclude(entry, handled, run)
    if (run.entries.size === 0) run.onDone()
  }

  #conclude(entry: Entry, handled: Handled, run: Run): void {
    const { held, lane } = entry
    const { failure } = handled
    if (failure === undefined) {
      lane.isSuspect = false
      lane.hasGivenUp = false
      this.#settle(entry, this.#steps.settle(held, handled))
    } else if (held.delivery.lost.aborted) {
      this.#settle(entry, this.#steps.return(held.delivery))
    } else if (run.kept.has(lane) || this.#options.signal.aborted) {
      // It was not tried, since the handler stopped at an earlier message of the conversation; or it was told to stop.
      this.#putBack(entry)
    } else {
      this.#fail(entry, { ...handled, failure }, run)
    }
  }

  #fail(entry: Entry, handled: Handled & Required<Pick<Handled, 'failure'>>, run: Run): void {
    const { held, lane } = entry
    const { isShared = false, thrown } = handled.failure
    const isLastTry = lane.hasGivenUp
    const delayMs = this.#steps.keep(held, handled, { isLastTry })
    if (delayMs === undefined) {
      lane.isSuspect = false
      lane.hasGivenUp = true
      this.#settle(entry, this.#steps.settle(held, handled, { isLastTry }))
      return
    }
    const isDeferral = thrown instanceof DeferError
    run.kept.add(lane)
    lane.isSuspect = !isShared
    this.#wait(run, lane, { isDeferral, delayMs })
    if (!isDeferral) entry.held = { ...held, message: { ...held.message, attempt: held.message.attempt + 1 } }
    this.#putBack(entry)
  }

  /** Those that failed together go on together. */
  #wait({ waits }: Run, lane: Lane, { isDeferral, delayMs }: { isDeferral: boolean; delayMs: number }): void {
    const wait = { isDeferral }
    lane.wait = wait
    const goOn = () => {
      if (lane.wait === wait) lane.wait = undefined
    }
    const others = waits.get(delayMs)
    if (others !== undefined) {
      others.push(goOn)
      return
    }
    const all = [goOn]
    waits.set(delayMs, all)
    const timer = setTimeout(() => {
      for (const each of all) each()
      this.#advanceSoon()
    }, delayMs)
    timer.unref()
  }

  #settle(entry: Entry, settling: Promise<void>): void {
    void settling.then(() => {
      this.#lanes.remove(entry)
      this.#noLongerBusy()
    })
  }

  #putBack(entry: Entry): void {
    this.#lanes.putBack(entry)
    this.#noLongerBusy()
  }

  #noLongerBusy(): void {
    this.#busy -= 1
    if (this.#busy === 0) this.#onIdle()
    this.#advanceSoon()
  }

  #needsTrial({ deliveryCount }: Delivery): boolean {
    return this.#options.journal !== undefined && deliveryCount >= trialFrom
  }

  /** While it runs, nothing else does. */
  async #try(delivery: Delivery): Promise<void> {
    this.#isTrying = true
    this.#busy += 1
    await this.#tryAlone(delivery, trialKey(delivery))
    this.#isTrying = false
    this.#noLongerBusy()
  }

  async #tryAlone(delivery: Delivery, key: string): Promise<void> {
    const { journal, logger, queue } = this.#options
    if (journal === undefined) return
    const deaths = await this.#told(delivery, () => journal.begin(key))
    if (deaths === undefined || this.#mustNotBegin(delivery)) {
      // It comes again.
      if (deaths !== undefined) await journal.end(key).catch(() => {})
      if (isLost(delivery)) await this.#steps.return(delivery)
      else this.#unread.unshift(delivery)
      return
    }
    if (deaths > 0) logger.warn({ queue, deaths }, 'A message was being tried when a process ended; it is tried alone')
    if (deaths < deadlyTries) {
      const entry = this.#read(delivery)
      const taken = entry && this.#lanes.take(entry)
      if (taken) await this.#begin([taken])
    } else {
      const message = `The process has ended ${deaths} times while it worked on this message, and nothing else`
      await this.#steps.deadLetter(delivery, new PermanentError(message, { code: 'HANDLER_BUG' }))
      // Then nobody knows whether it is a dead letter, and the next process must not try it.
      if (isLost(delivery)) return
    }
    await this.#told(delivery, () => journal.end(key))
  }

  /** Until the journal has been told. @returns undefined if the delivery is lost or the consumer leaves before that */
  async #told<T>(delivery: Delivery, tell: () => Promise<T>): Promise<T | undefined> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await tell()
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'The trial of a message could not be written down')
      }
      if (this.#mustNotBegin(delivery)) return undefined
      await sleep(backoffMs(failures, journalBackoff), delivery.lost)
    }
  }

  #mustNotBegin(delivery: Delivery): boolean {
    return isLost(delivery) || this.#isEnding || this.#isLeaving
  }

  #adjustPrefetch({ deliveryCount, lost }: Delivery): void {
    if (this.#isLeaving) return
    const { journal, logger, queue } = this.#options
    if (this.#prefetch !== 1 && deliveryCount >= trialFrom && journal === undefined) {
      logger.warn({ queue }, 'A message was in flight when consumers ended; one is taken at a time')
      this.#registerWith(1, lost)
    } else if (this.#prefetch === 1 && deliveryCount === 0) {
      logger.info({ queue }, 'Many are taken at a time again')
      this.#registerWith(orderedPrefetch, lost)
    }
  }

  /** The deliveries in hand come again. */
  #registerWith(prefetch: number, lost: AbortSignal): void {
    this.#leaving = lost
    this.#prefetch = prefetch
    this.#steps.setPrefetch(this.prefetch)
  }

  #lookAtClock(): void {
    if (this.#isLeaving || this.#isEnding) return
    for (const delivery of this.#steps.inFlight()) {
      // One that is lost may be at work still, and the broker does not wait for it.
      if (isLost(delivery)) continue
      const ms = Date.now() - delivery.firstSeen.getTime()
      if (ms >= this.#options.consumerTimeoutMs / 3) void this.#leave(delivery.lost, ms)
      return
    }
  }

  /** Work under way has another third of the time: it may wait for something that does not come. */
  async #leave(lost: AbortSignal, ms: number): Promise<void> {
    const { consumerTimeoutMs, logger, queue } = this.#options
    logger.warn({ queue, ms }, 'A message was in hand for long; the consumer gives back all that it has')
    this.#leaving = lost
    await Promise.race([this.#whenIdle(), sleep(consumerTimeoutMs / 3, lost)])
    if (!this.#isLeaving || this.#isEnding) return
    this.#isAway = this.#isPaused
    this.#steps.setPrefetch(0)
    if (!this.#isAway) this.#steps.setPrefetch(this.prefetch)
  }
}

function isLost({ lost }: Delivery): boolean {
  return lost.aborted
}

/** Messages that were handed to the handler together. */
interface Run {
  /** Those that it has not reported. */
  entries: Map<Held, Entry>
  /** Lanes of which a message is to be tried again. */
  kept: Set<Lane>
  /** By the delay in milliseconds: what ends the wait of each of these lanes. */
  waits: Map<number, (() => void)[]>
  onDone(): void
}
