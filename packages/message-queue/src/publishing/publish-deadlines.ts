/** Messages that fall due one after another are looked at together: at most every so many milliseconds. */
const restMs = 20

/** The longest that a Node timer can wait; beyond it fires at once. */
const longestDelayMs = 2 ** 31 - 1

export interface PublishDeadlinesOptions {
  /** Rejects everything that is due at `now` and gives the earliest deadline that remains, or Infinity. */
  expire: (now: number) => number
}

/**
 * One timer for the deadlines of all messages, set to the earliest. A publish costs a comparison, not a timer: nearly
 * all messages are confirmed long before they are due. All times are on the clock of `performance.now()`.
 */
export class PublishDeadlines {
  readonly #expire: (now: number) => number
  #timer: NodeJS.Timeout | undefined
  #firesAt = Number.POSITIVE_INFINITY

  constructor({ expire }: PublishDeadlinesOptions) {
    this.#expire = expire
  }

  /** Sees to it that `expire` is called when `deadlineAt` has come. */
  watch(deadlineAt: number): void {
    if (deadlineAt < this.#firesAt) this.#set(deadlineAt, performance.now())
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
  }

  #set(firesAt: number, now: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = firesAt
    const delayMs = Math.min(Math.max(Math.ceil(firesAt - now), 1), longestDelayMs)
    this.#timer = setTimeout(() => this.#fire(), delayMs)
  }

  #fire(): void {
    this.stop()
    const now = performance.now()
    const nextDeadlineAt = this.#expire(now)
    if (nextDeadlineAt < this.#firesAt) this.#set(Math.max(nextDeadlineAt, now + restMs), now)
  }
}
