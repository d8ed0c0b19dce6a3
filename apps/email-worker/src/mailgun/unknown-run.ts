import { SendError } from '../email-provider.js'

/** So many mails in a row may be unlucky. */
const most = 5

/**
 * Mails of unknown outcome in a row. Each is one that may go out twice, so after five Mailgun gets no more until it has
 * answered a probe.
 */
export class UnknownRun {
  #length = 0
  #last: SendError | undefined

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

  /** @throws SendError if the run is too long */
  assertShort(): void {
    if (this.#length < most || this.#last === undefined) return
    const { code, message } = this.#last
    const words = `Mailgun leaves mails in doubt, so it gets none until it answers a probe; the last: ${message}`
    throw new SendError(words, { outcome: 'provider', code, cause: this.#last })
  }
}
