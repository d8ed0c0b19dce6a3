export interface SettleWithinOptions {
  /** Infinity: no limit. */
  ms: number
  signal?: AbortSignal | undefined
  /** Made when the time is up. */
  createError: () => Error
}

/** The longest that a Node timer can wait; beyond it fires at once. */
const longestDelayMs = 2 ** 31 - 1

/**
 * Settles as the promise does, unless the time is up or the signal is aborted before; what the promise comes to later
 * is then dropped. Leaves no timer and no listener behind.
 */
export async function settleWithin<T>(promise: Promise<T>, options: SettleWithinOptions): Promise<T> {
  const { ms, signal, createError } = options
  let cleanUp = () => {}
  const interrupted = new Promise<never>((_resolve, reject) => {
    const onAbort = () => reject(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = ms <= longestDelayMs ? setTimeout(() => reject(createError()), ms) : undefined
    cleanUp = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  try {
    return await Promise.race([promise, interrupted])
  } finally {
    cleanUp()
  }
}
