import type { RealtimeMessage } from './realtime-message.js'

/** With contents of 64 KiB, these are 13 MiB. */
const defaultCapacity = 200

/**
 * Puts the messages of a conversation into their order: each comes out once, and none before the one that precedes it.
 *
 * Those that came too early wait. When there are too many of them, the ones farthest ahead are dropped and have to be
 * loaded, which `hasGap` still tells.
 */
export class SequenceWindow {
  readonly #waiting = new Map<number, RealtimeMessage>()
  readonly #capacity: number
  #last: number
  #highest: number

  /** `after`: the sequence of the last message that is known already; 0 for none. */
  constructor(after: number, capacity = defaultCapacity) {
    this.#last = after
    this.#highest = after
    this.#capacity = capacity
  }

  /** The sequence of the last message that came out. */
  get last(): number {
    return this.#last
  }

  /** There is a later message than the last that came out, so that those between are missing. */
  get hasGap(): boolean {
    return this.#highest > this.#last
  }

  /** One that was there already changes nothing. */
  put(message: RealtimeMessage): void {
    const { sequence } = message
    if (sequence <= this.#last || this.#waiting.has(sequence)) return
    this.#waiting.set(sequence, message)
    this.#highest = Math.max(this.#highest, sequence)
    if (this.#waiting.size > this.#capacity) this.#waiting.delete(Math.max(...this.#waiting.keys()))
  }

  /** The next message in order, or undefined if it is not there. */
  take(): RealtimeMessage | undefined {
    const next = this.#waiting.get(this.#last + 1)
    if (next === undefined) return undefined
    this.#waiting.delete(next.sequence)
    this.#last = next.sequence
    return next
  }
}
