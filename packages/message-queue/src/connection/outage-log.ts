import type { Logger } from '../logger.js'
import { isRefusal } from './is-refusal.js'

/**
 * Logs an outage once when it begins, once more if the broker then answers and refuses, and once when it is over: not one
 * line for each attempt, which may fail for another reason each time.
 */
export class OutageLog {
  readonly #logger: Logger
  readonly #texts: { begun: string; over: string }
  /** The kinds of failure that have been logged of the outage that lasts. */
  readonly #logged = new Set<'away' | 'refused'>()

  constructor(logger: Logger, texts: { begun: string; over: string }) {
    this.#logger = logger
    this.#texts = texts
  }

  failed(error: Error): void {
    const kind = isRefusal(error) ? 'refused' : 'away'
    this.#logger[this.#logged.has(kind) ? 'debug' : 'warn']({ err: error }, this.#texts.begun)
    this.#logged.add(kind)
  }

  over(): void {
    if (this.#logged.size === 0) return
    this.#logged.clear()
    this.#logger.info({}, this.#texts.over)
  }
}
