/**
 * How many deliveries are taken at a time, and why:
 * - `first`: one, to see whether it was in flight when a consumer ended
 * - `cautious`: one, because a delivery came that was in flight when a consumer ended; it may have been the reason
 * - `trial`: one, until it has been dealt with, to see whether that is possible again
 * - `normal`: as many as the prefetch admits
 */
export type PrefetchMode = 'first' | 'cautious' | 'trial' | 'normal'

export interface DeliveryTurnsOptions<T> {
  /** It is to be worked on now. */
  onTurn(item: T): void
  /** The broker is to be asked for one at a time, or for as many as the prefetch admits. */
  onMode(mode: PrefetchMode): void
  /** From 0 to below 1. */
  random?: () => number
}

export interface Arrival {
  /** How often it was in flight when its consumer ended: `x-delivery-count`. */
  deliveryCount: number
  /** The broker sent it by a registration that admits one at a time. */
  alone: boolean
}

interface Entry<T> extends Arrival {
  item: T
  /** To be tried while nothing else is in flight. */
  isIsolated: boolean
}

/**
 * Sees to it that a message which ends its consumer each time, the process or the connection, ends it alone: at the
 * broker's delivery limit, whatever is in flight beside it would be dead-lettered with it.
 *
 * - A consumer takes one delivery first. If that was in flight when another consumer ended, it goes on with one at a time
 *   until it has dealt with one that was not: those that were in flight come before those that were not.
 * - A consumer that takes many and receives one that was in flight at two ends goes back to one at a time. After the first
 *   end nobody knows more than that some consumer ended, and stopping a worker may look the same (RabbitMQ 3.10 counts
 *   deliveries that a cancelled consumer has not taken).
 * - Of several that have to be tried alone, the one that was in flight at the fewest ends comes first. Among equals it is
 *   one at random: messages that were in flight together come together again, in the same order, so a fixed order would
 *   leave the same innocent ones behind the poisonous one each time.
 */
export class DeliveryTurns<T> {
  readonly #options: DeliveryTurnsOptions<T>
  readonly #atWork = new Map<T, Entry<T>>()
  #isolated: Entry<T> | undefined
  #waiting: Entry<T>[] = []
  #mode: PrefetchMode = 'first'
  #isolateFrom = 1

  constructor(options: DeliveryTurnsOptions<T>) {
    this.#options = options
  }

  get mode(): PrefetchMode {
    return this.#mode
  }

  take(item: T, { deliveryCount, alone }: Arrival): void {
    const entry = { item, deliveryCount, alone, isIsolated: deliveryCount >= this.#isolateFrom }
    if (entry.isIsolated && this.#mode !== 'cautious') this.#change('cautious')
    // Now, while nothing more can be on its way by the old prefetch.
    if (!entry.isIsolated && this.#mode === 'first') this.#change('normal')
    if (!entry.isIsolated && this.#isolated === undefined) {
      this.#begin(entry)
    } else {
      this.#waiting.push(entry)
      this.#next()
    }
  }

  /** It has been dealt with, and is not settled yet, so that the broker does not send another by the old prefetch. */
  handled(item: T): void {
    if (this.#mode === 'normal' || this.#waiting.length > 0) return
    const entry = this.#atWork.get(item)
    if (entry === undefined || !entry.alone || entry.isIsolated) return
    this.#change('normal')
  }

  settled(item: T): void {
    if (this.#isolated?.item === item) this.#isolated = undefined
    this.#atWork.delete(item)
    if (this.#waiting.length > 0) this.#next()
  }

  /** Takes one at a time until one has been dealt with. */
  beginTrial(): void {
    if (this.#mode !== 'cautious' && this.#mode !== 'trial') this.#change('trial')
  }

  /** Those that wait for their turn will not have it. */
  dropWaiting(): T[] {
    const dropped = this.#waiting.map(({ item }) => item)
    this.#waiting = []
    return dropped
  }

  /**
   * The channel is lost: everything in flight on it counts one end more, so the next delivery is taken as a process takes
   * its first, unless a trial is to be made. A handler that still works on a lost one holds up nobody.
   */
  beginAgain(): T[] {
    const dropped = this.dropWaiting()
    this.#atWork.clear()
    this.#isolated = undefined
    this.#isolateFrom = 1
    if (this.#mode !== 'trial' && this.#mode !== 'first') this.#change('first')
    return dropped
  }

  #next(): void {
    if (this.#isolated !== undefined) return
    const together = this.#waiting.filter(({ isIsolated }) => !isIsolated)
    this.#waiting = this.#waiting.filter(({ isIsolated }) => isIsolated)
    for (const entry of together) this.#begin(entry)
    if (this.#atWork.size > 0) return
    const isolated = this.#chooseIsolated()
    if (isolated === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(isolated), 1)
    this.#begin(isolated)
  }

  #chooseIsolated(): Entry<T> | undefined {
    const fewest = Math.min(...this.#waiting.map(({ deliveryCount }) => deliveryCount))
    const candidates = this.#waiting.filter(({ deliveryCount }) => deliveryCount === fewest)
    const { random = Math.random } = this.#options
    return candidates[Math.floor(random() * candidates.length)]
  }

  #begin(entry: Entry<T>): void {
    this.#atWork.set(entry.item, entry)
    if (entry.isIsolated) this.#isolated = entry
    this.#options.onTurn(entry.item)
  }

  #change(mode: PrefetchMode): void {
    this.#mode = mode
    if (mode === 'normal') this.#isolateFrom = 2
    this.#options.onMode(mode)
  }
}
