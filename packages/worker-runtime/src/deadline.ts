export interface Deadline {
  clear(): void
}

/**
 * Calls `onOver` when the time is up, but not before what has arrived by then is read. In a turn of the event loop timers
 * come before I/O (Node.js docs, the event loop), so a process that was suspended finds its time up before it has read an
 * answer that has been there for long, and would call an outcome unknown that is not.
 */
export function startDeadline(ms: number, onOver: () => void): Deadline {
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    // One turn reads the bytes; in the next, what they mean has gone through TLS and HTTP.
    immediate = setImmediate(() => {
      immediate = setImmediate(onOver)
    })
  }, ms)
  return {
    clear() {
      clearTimeout(timer)
      clearImmediate(immediate)
    },
  }
}
