/** Tries of one message in a row, before it gives way to others that may wait. */
const shareOfRecipients = 100
/** After so long it gives way in any case: a handler's time, and the broker's for an ack, are limited. */
const shareMs = 60_000

export interface ServeShareOptions {
  othersMayWait(): boolean
  /** The share is used up. */
  onEnd(): void
}

/** How much of a message is served at a time, before it gives way to others: at least one recipient has a turn. */
export class ServeShare {
  readonly #options: ServeShareOptions
  #timer: NodeJS.Timeout | undefined
  #turns = 0
  #tries = 0
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

  /** One more recipient has had a turn. */
  count({ wasTried }: { wasTried: boolean }): void {
    this.#turns += 1
    if (wasTried) this.#tries += 1
    this.#look()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const isEnough = this.#tries >= shareOfRecipients && this.#options.othersMayWait()
    if (isEnough || (this.#isTimeUp && this.#turns > 0)) this.#options.onEnd()
  }
}
