/**
 * The signal by which one mail on its way is given up. `signal` gives it up in any case; `withdraw` does so only while the
 * provider certainly has not got the mail.
 */
export class MailSignal {
  readonly #controller = new AbortController()
  readonly #signal: AbortSignal
  readonly #withdraw: AbortSignal | undefined
  #isHandedOver = false

  constructor(signal: AbortSignal, withdraw?: AbortSignal) {
    this.#signal = signal
    this.#withdraw = withdraw
    signal.addEventListener('abort', this.#look)
    withdraw?.addEventListener('abort', this.#look)
    this.#look()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The provider may have the mail from now on. */
  handOver(): void {
    this.#isHandedOver = true
  }

  /** The provider has said that it has not taken the mail. */
  takeBack(): void {
    this.#isHandedOver = false
    this.#look()
  }

  /** Leaves no listener behind. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#look)
    this.#withdraw?.removeEventListener('abort', this.#look)
  }

  readonly #look = () => {
    if (this.#signal.aborted) this.#controller.abort(this.#signal.reason)
    else if (this.#withdraw?.aborted && !this.#isHandedOver) this.#controller.abort(this.#withdraw.reason)
  }
}
