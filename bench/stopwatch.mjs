// @ts-check

/** Measures from the start to the first stop of each id. */
export function createStopwatch() {
  /** @type {Map<string, number>} */
  const startedAt = new Map()
  /** Milliseconds, in the order of the stops. @type {number[]} */
  const latencies = []
  return {
    latencies,
    /** @param {string} id */
    start(id) {
      startedAt.set(id, performance.now())
    },
    /** @param {string} id */
    stop(id) {
      const since = startedAt.get(id)
      if (since === undefined) return
      latencies.push(performance.now() - since)
      startedAt.delete(id)
    },
  }
}
