import { startTimer } from './start-timer.js'

export interface SettleWithinOptions {
  /** Milliseconds. Infinity: no limit. */
  ms: number
  signal?: AbortSignal | undefined
  /** Called when the time is up. */
  createError: () => Error
}

/**
 * Settles as the promise does, unless the time is up or the signal is aborted first; the promise's own outcome is then
 * dropped. Leaves no timer and no listener behind.
 *
 * @throws what the promise rejects with; what `createError` makes; the reason of the signal
 */
export async function settleWithin<T>(promise: Promise<T>, options: SettleWithinOptions): Promise<T> {
  const { ms, signal, createError } = options
  let cleanUp = () => {}
  const interrupted = new Promise<never>((_resolve, reject) => {
    const onAbort = () => reject(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const stopTimer = startTimer(ms, () => reject(createError()))
    cleanUp = () => {
      stopTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  })
  try {
    return await Promise.race([promise, interrupted])
  } finally {
    cleanUp()
  }
}
