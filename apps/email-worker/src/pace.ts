import { createSlots, sleep } from '@mono/waiting'

export interface PaceOptions {
  /** Mails on their way at a time, at most. */
  maxConcurrent: number
  /** Mails begun in a minute, at most. Default: no limit. */
  ratePerMinute?: number | undefined
}

/** The right to send a mail now. */
export interface Turn {
  /** Which pace it was given under: a provider that says no to several mails of one pace has said it once. */
  readonly epoch: number
}

/** Mails that go well, for each that may be on its way, before there is one more. */
const successesToGrow = 10
/** A limit of connections that a mail server has shown is not tried again for so long. */
const ceilingMs = 60_000
const pauses = { firstMs: 1_000, maxMs: 60_000 }

/**
 * How many mails are on their way at a time, and when. It begins with all that are allowed, and goes by what the
 * provider says:
 *
 * | the provider | number at a time | pause |
 * | --- | --- | --- |
 * | has too many connections | those that it has, at least one | none |
 * | wants mails more slowly | half, at least one | as long as it says, else 1 s, doubled each time up to 60 s |
 * | has taken ten mails for each at a time | one more | none, and the next begins with 1 s |
 */
export class Pace {
  readonly #max: number
  readonly #spacingMs: number
  readonly #slots: ReturnType<typeof createSlots>
  #concurrency: number
  #ceiling: number
  #ceilingUntil = 0
  #epoch = 0
  #successes = 0
  #pauseMs = 0
  #pausedUntil = 0
  #nextAt = 0

  constructor({ maxConcurrent, ratePerMinute }: PaceOptions) {
    this.#max = maxConcurrent
    this.#concurrency = maxConcurrent
    this.#ceiling = maxConcurrent
    this.#spacingMs = ratePerMinute === undefined ? 0 : 60_000 / ratePerMinute
    this.#slots = createSlots(maxConcurrent)
  }

  /** How many mails may be on their way at a time. */
  get concurrency(): number {
    return this.#concurrency
  }

  /** Milliseconds until the next mail may be begun. */
  get pausedForMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now())
  }

  /** How many are on their way. */
  get atWork(): number {
    return this.#slots.held
  }

  /** @throws the signal's reason */
  async begin(signal: AbortSignal): Promise<Turn> {
    await this.#slots.acquire(signal)
    try {
      for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) {
        await sleep(waitMs, signal)
        signal.throwIfAborted()
      }
    } catch (error) {
      this.#slots.release()
      throw error
    }
    this.#nextAt = Math.max(performance.now(), this.#nextAt) + this.#spacingMs
    return { epoch: this.#epoch }
  }

  end(): void {
    this.#slots.release()
  }

  succeed({ epoch }: Turn): void {
    if (epoch !== this.#epoch) return
    this.#pauseMs = 0
    this.#successes += 1
    if (this.#successes < successesToGrow * this.#concurrency || this.#concurrency >= this.#limit()) return
    this.#change(this.#concurrency + 1)
  }

  /** A mail server has refused a connection while others were open. */
  haveFewerConnections(): void {
    // The one that was refused is still counted. Each that is refused is one too many.
    this.#change(Math.min(this.#concurrency, this.#slots.held) - 1)
    this.#ceiling = this.#concurrency
    this.#ceilingUntil = performance.now() + ceilingMs
  }

  /** @param askedMs the pause that the provider has named */
  slowDown({ epoch }: Turn, askedMs?: number): void {
    if (epoch !== this.#epoch) return
    this.#epoch += 1
    this.#change(this.#concurrency >> 1)
    this.#pauseMs = Math.min(pauses.maxMs, Math.max(pauses.firstMs, this.#pauseMs * 2))
    this.#pausedUntil = performance.now() + Math.max(pauses.firstMs, askedMs ?? this.#pauseMs)
  }

  #limit(): number {
    return performance.now() < this.#ceilingUntil ? this.#ceiling : this.#max
  }

  #change(concurrency: number): void {
    this.#concurrency = Math.max(1, concurrency)
    this.#successes = 0
    this.#slots.resize(this.#concurrency)
  }

  #waitMs(): number {
    return Math.max(this.#pausedUntil, this.#nextAt) - performance.now()
  }
}
