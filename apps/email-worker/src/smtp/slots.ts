export interface Slots {
  /**
   * Resolves, in the order of the calls, when there is room; with the function that makes room again.
   *
   * @throws the signal's reason if it is aborted first
   */
  take(signal: AbortSignal): Promise<() => void>
}

/** At most `count` at a time; the others wait in line. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []

  const give = () => {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }
  const giveOnce = () => {
    let given = false
    return () => {
      if (!given) give()
      given = true
    }
  }

  return {
    async take(signal) {
      signal.throwIfAborted()
      if (free > 0) {
        free -= 1
        return giveOnce()
      }
      return await new Promise((resolve, reject) => {
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve(giveOnce())
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(start), 1)
          reject(signal.reason)
        }
        waiting.push(start)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
