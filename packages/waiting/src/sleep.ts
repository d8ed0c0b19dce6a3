import { startTimer } from './start-timer.js'

/**
 * Resolves after `ms` milliseconds (Infinity: never by itself), or as soon as the signal is aborted. Never rejects: a
 * loop that pauses reads the signal itself. Leaves no timer and no listener behind.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      stopTimer()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const stopTimer = startTimer(ms, wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
}
