/** Tries of one message in a row, before it gives way to others that may wait. */
const shareOfRecipients = 100
/** After so long it gives way in any case: a handler's time, and the broker's for an ack, are limited. */
const shareMs = 60_000

export interface ServeShareOptions {
  othersMayWait(): boolean
  /** The share is used up. */
  onEnd(): void
}

/** How much of a message is served at a time, before it gives way to others: at least one recipient. */
export class ServeShare {
  readonly #options: ServeShareOptions
  #timer: NodeJS.Timeout | undefined
  #served = 0
  #isTimeUp = false

  constructor(options: ServeShareOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#isTimeUp = true
      this.#look()
    }, shareMs)
  }

  /** One more recipient was tried. */
  count(): void {
    this.#served += 1
    this.#look()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    if (this.#served === 0) return
    const isEnough = this.#served >= shareOfRecipients && this.#options.othersMayWait()
    if (this.#isTimeUp || isEnough) this.#options.onEnd()
  }
}
