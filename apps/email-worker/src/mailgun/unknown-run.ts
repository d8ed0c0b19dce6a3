import { untilAborted } from '@mono/waiting'
import { SendError } from '../email-provider.js'

/** So many mails in a row may be unlucky. */
const most = 5

/**
 * Mails of unknown outcome in a row. Each is one that may go out twice, so after five Mailgun gets no more until it has
 * answered a probe. From the fifth on mails go one at a time: the others wait for what becomes of it.
 */
export class UnknownRun {
  #length = 0
  #last: SendError | undefined
  /** Resolves when the outcome of the one mail is known. */
  #trial: Promise<void> | undefined

  /**
   * Waits until a mail may go.
   *
   * @returns what is to be called when its outcome has been told to the run
   * @throws SendError if the run is too long; the signal's reason
   */
  async admit(signal: AbortSignal): Promise<() => void> {
    while (this.#length >= most - 1) {
      this.#assertShort()
      if (this.#trial === undefined) return this.#beginTrial()
      await untilAborted(this.#trial, signal)
    }
    return () => {}
  }

  /** A mail is of unknown outcome. */
  add(error: SendError): void {
    this.#length += 1
    this.#last = error
  }

  /** Mailgun has answered a mail, so that there is no doubt. */
  end(): void {
    this.#length = 0
  }

  /** Mailgun has answered a probe. One more mail of unknown outcome is enough, now. */
  allowTrial(): void {
    this.#length = Math.min(this.#length, most - 1)
  }

  #assertShort(): void {
    if (this.#length < most || this.#last === undefined) return
    const { code, message } = this.#last
    const words = `Mailgun leaves mails in doubt, so it gets none until it answers a probe; the last: ${message}`
    throw new SendError(words, { outcome: 'provider', code, cause: this.#last })
  }

  #beginTrial(): () => void {
    let resolve = () => {}
    this.#trial = new Promise((done) => {
      resolve = done
    })
    return () => {
      this.#trial = undefined
      resolve()
    }
  }
}
