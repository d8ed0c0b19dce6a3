import type { SettledEvent } from '@mono/message-queue'

/**
 * Separates the deliveries that were begun since a breaker's trial began from those that were in flight by then: these say
 * nothing about the trial.
 *
 * An event says how long the handler ran. Most outcomes are reported when the handler ends, so it is known when it began.
 * A deferral is reported only when the broker has confirmed the copy of the message: its handler ended some time before,
 * and may have begun before the trial. So a deferral is taken for one of the deliveries that were in flight until each of
 * those has been accounted for: as many deferrals may be passed over as there were deliveries in flight, and no more.
 */
export class TrialBoundary {
  #since = Number.NEGATIVE_INFINITY
  /** Deliveries that were in flight when the trial began and have not been accounted for. */
  #unaccounted = 0

  /** When the last trial began, by `performance.now()`. */
  get since(): number {
    return this.#since
  }

  /** A trial begins now. */
  draw(inFlight: number): void {
    this.#since = performance.now()
    this.#unaccounted = inFlight
  }

  /**
   * True if the delivery says nothing: it was begun before the trial, may have been, or was deferred without having
   * reached its handler. To be asked once for each delivery, because it counts. `isMiss`: deferred for the dependency.
   */
  excludes({ handlerMs, isInHand }: Pick<SettledEvent, 'handlerMs' | 'isInHand'>, isMiss: boolean): boolean {
    const reachedNoHandler = isMiss && handlerMs === 0
    const wasBegunBefore = performance.now() - handlerMs < this.#since
    // A delivery that is kept is reported when its handler ends.
    const mayBeBegunBefore = isMiss && !isInHand && this.#unaccounted > 0
    if (!reachedNoHandler && !wasBegunBefore && !mayBeBegunBefore) return false
    this.#unaccounted = Math.max(0, this.#unaccounted - 1)
    return true
  }
}
