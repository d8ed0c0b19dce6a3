/** For the bodies in flight. A worker has 256 MB, and makes of each body a text, values, and a statement with both. */
const budgetBytes = 8 * 1024 * 1024

/** How much one body changes what is expected. A large one counts more, so that those behind it are not asked for. */
const weightOf = (bytes: number, expected: number) => (bytes > expected ? 0.1 : 0.01)

/**
 * How many deliveries fit into the memory of a worker, by the size of body that is expected: AMQP's prefetch in bytes is not
 * implemented by RabbitMQ (specification differences, basic.qos). What the broker has sent already cannot be refused, so a
 * sudden row of large ones can still exceed the budget by what the last prefetch admits.
 */
export class PrefetchBySize {
  #expected: number | undefined
  #limit = Number.POSITIVE_INFINITY

  /** Deliveries to take at a time: at least 1. */
  get limit(): number {
    return this.#limit
  }

  /** @returns whether the limit is another now; it follows only when the expected size has halved or doubled */
  notice(bytes: number): boolean {
    this.#expected =
      this.#expected === undefined ? bytes : this.#expected + (bytes - this.#expected) * weightOf(bytes, this.#expected)
    const fitting = Math.max(1, Math.floor(budgetBytes / Math.max(1, this.#expected)))
    if (fitting > this.#limit / 2 && fitting < this.#limit * 2) return false
    this.#limit = fitting
    return true
  }
}
