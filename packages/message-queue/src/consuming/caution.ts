/**
 * How many deliveries are taken at a time, and why:
 * - `first`: one, to see whether somebody has died over it
 * - `cautious`: one, because a delivery came that was in hand when a process ended; it may have been the reason
 * - `trial`: one, until it has been dealt with, to see whether that is possible again
 * - `normal`: as many as the prefetch admits
 */
export type IntakeMode = 'first' | 'cautious' | 'trial' | 'normal'

export interface CautionOptions<T> {
  /** It is to be worked on now. */
  onTurn(item: T): void
  /** The broker is to be asked for one at a time, or for as many as the prefetch admits. */
  onMode(mode: IntakeMode): void
  /** From 0 to below 1. */
  random?: () => number
}

export interface Arrival {
  /** How often it was in hand when its consumer ended: `x-delivery-count`. */
  deliveryCount: number
  /** The broker sent it by a registration that admits one at a time. */
  alone: boolean
}

interface Visitor<T> extends Arrival {
  item: T
  /** To be tried alone. */
  isSuspect: boolean
}

/**
 * Sees to it that a message which ends the process each time ends it alone: at the broker's delivery limit, whatever is
 * in hand beside it would be given up with it.
 *
 * - A process takes one delivery first. If somebody has died over it, it goes on with one at a time until it has dealt
 *   with one that nobody died over: those that were in hand come before those that were not.
 * - A process that takes many and receives one that two have died over goes back to one at a time. After the first death
 *   nobody knows more than that some process ended, and stopping a worker may look the same (RabbitMQ 3.10 counts what a
 *   cancelled consumer has not taken).
 * - Of several that have to be tried alone, the one with the fewest deaths comes first. Among equals it is one at random:
 *   messages that died together come together again, in the same order, so a fixed order would leave the same innocent
 *   ones behind the poisonous one each time.
 */
export class Caution<T> {
  readonly #options: CautionOptions<T>
  readonly #atWork = new Map<T, Visitor<T>>()
  #suspectAtWork: Visitor<T> | undefined
  #waiting: Visitor<T>[] = []
  #mode: IntakeMode = 'first'
  #suspectFrom = 1

  constructor(options: CautionOptions<T>) {
    this.#options = options
  }

  get mode(): IntakeMode {
    return this.#mode
  }

  take(item: T, { deliveryCount, alone }: Arrival): void {
    const visitor = { item, deliveryCount, alone, isSuspect: deliveryCount >= this.#suspectFrom }
    if (visitor.isSuspect && this.#mode !== 'cautious') this.#change('cautious')
    // Now, while nothing more can be on its way by the old measure.
    if (!visitor.isSuspect && this.#mode === 'first') this.#change('normal')
    if (!visitor.isSuspect && this.#suspectAtWork === undefined) {
      this.#begin(visitor)
    } else {
      this.#waiting.push(visitor)
      this.#next()
    }
  }

  /** To be called before it is settled, so that the broker does not send another one by the old measure. */
  survived(item: T): void {
    if (this.#mode === 'normal' || this.#waiting.length > 0) return
    const visitor = this.#atWork.get(item)
    if (visitor === undefined || !visitor.alone || visitor.isSuspect) return
    this.#change('normal')
  }

  /** To be called when it is settled. */
  done(item: T): void {
    if (this.#suspectAtWork?.item === item) this.#suspectAtWork = undefined
    this.#atWork.delete(item)
    if (this.#waiting.length > 0) this.#next()
  }

  /** Takes one at a time until one has been dealt with. */
  beginTrial(): void {
    if (this.#mode !== 'cautious' && this.#mode !== 'trial') this.#change('trial')
  }

  /** What waits for its turn will not have it. */
  dropWaiting(): T[] {
    const dropped = this.#waiting.map(({ item }) => item)
    this.#waiting = []
    return dropped
  }

  #next(): void {
    if (this.#suspectAtWork !== undefined) return
    const innocent = this.#waiting.filter(({ isSuspect }) => !isSuspect)
    this.#waiting = this.#waiting.filter(({ isSuspect }) => isSuspect)
    for (const visitor of innocent) this.#begin(visitor)
    if (this.#atWork.size > 0) return
    const suspect = this.#chooseSuspect()
    if (suspect === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(suspect), 1)
    this.#begin(suspect)
  }

  #chooseSuspect(): Visitor<T> | undefined {
    const fewest = Math.min(...this.#waiting.map(({ deliveryCount }) => deliveryCount))
    const candidates = this.#waiting.filter(({ deliveryCount }) => deliveryCount === fewest)
    const { random = Math.random } = this.#options
    return candidates[Math.floor(random() * candidates.length)]
  }

  #begin(visitor: Visitor<T>): void {
    this.#atWork.set(visitor.item, visitor)
    if (visitor.isSuspect) this.#suspectAtWork = visitor
    this.#options.onTurn(visitor.item)
  }

  #change(mode: IntakeMode): void {
    this.#mode = mode
    if (mode === 'normal') this.#suspectFrom = 2
    this.#options.onMode(mode)
  }
}
