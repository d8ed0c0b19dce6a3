/**
 * Calls a function that may hang. The signal aborts when the time is up, or when `signal` aborts.
 *
 * @throws what the function throws; an Error when the time is up; the signal's reason
 */
export async function withTimeLimit<T>(
  { ms, signal }: { ms: number; signal: AbortSignal },
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error(`there was no answer within ${ms / 1000} s`)), ms)
  const onAbort = () => limit.abort(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await new Promise<T>((resolve, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason))
      // An async function, because the call may throw before there is a promise.
      const answer = (async () => await call(limit.signal))()
      answer.then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
