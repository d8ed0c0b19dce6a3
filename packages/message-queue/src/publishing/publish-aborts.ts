import type { PendingMessage } from './pending-message.js'

/**
 * Rejects the messages of an abort signal when it is aborted. One listener for each signal, however many messages share
 * it: at the eleventh listener Node warns of a leak.
 */
export class PublishAborts {
  readonly #watched = new Map<AbortSignal, { pendings: Set<PendingMessage>; stop: () => void }>()

  add(signal: AbortSignal, pending: PendingMessage): void {
    const { pendings } = this.#watched.get(signal) ?? this.#watch(signal)
    pendings.add(pending)
  }

  /** To be called for each message that is settled. */
  remove(signal: AbortSignal, pending: PendingMessage): void {
    const watched = this.#watched.get(signal)
    if (!watched?.pendings.delete(pending) || watched.pendings.size > 0) return
    watched.stop()
    this.#watched.delete(signal)
  }

  #watch(signal: AbortSignal) {
    const pendings = new Set<PendingMessage>()
    const onAbort = () => {
      for (const pending of pendings) pending.reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort)
    const watched = { pendings, stop: () => signal.removeEventListener('abort', onAbort) }
    this.#watched.set(signal, watched)
    return watched
  }
}
