/**
 * Gives a function that does the work for one key at a time, in the order of the calls, and for different keys side by
 * side. A call that fails does not hold up the next. Nothing is kept of a key without a call under way.
 */
export function serializeByKey<A extends unknown[], T>(
  toKey: (...args: A) => string,
  work: (...args: A) => Promise<T>,
): (...args: A) => Promise<T> {
  const lastByKey = new Map<string, Promise<unknown>>()

  return async (...args) => {
    const key = toKey(...args)
    const previous = lastByKey.get(key)
    const current = previous === undefined ? work(...args) : previous.then(() => work(...args))
    const settled = current.catch(() => undefined)
    lastByKey.set(key, settled)
    try {
      return await current
    } finally {
      if (lastByKey.get(key) === settled) lastByKey.delete(key)
    }
  }
}
