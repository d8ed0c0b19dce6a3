import { startTimer } from './start-timer.js'

export interface WithDeadlineOptions {
  /** Milliseconds. Infinity: no limit. */
  ms: number
  /** Ends it earlier, with its own reason. */
  signal?: AbortSignal | undefined
  /**
   * Called when the time is up; what it makes is the reason of the signal that `run` was given. Default: an error that
   * says how long it was.
   */
  createError?: () => Error
}

/**
 * Runs something under a signal that is aborted when the time is up or `signal` is aborted; also if it is so from the
 * beginning. Settles as `run` does and not before: where that may ignore its signal, wrap its promise in `untilAborted`.
 *
 * `restart` counts anew, with another time: for work of which one part may take so long, and the next so long.
 *
 * Leaves no timer and no listener behind once it has settled; with `AbortSignal.timeout` and `any`, thousands of calls
 * a second would leave that many timers.
 */
export async function withDeadline<T>(
  { ms, signal, createError = () => new Error(`It took longer than ${ms} ms`) }: WithDeadlineOptions,
  run: (signal: AbortSignal, restart: (ms: number) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const start = (afterMs: number) => startDeadline(afterMs, () => controller.abort(createError()))
  let stopDeadline = start(ms)
  let isSettled = false
  const restart = (afterMs: number) => {
    if (isSettled) return
    stopDeadline()
    stopDeadline = start(afterMs)
  }
  try {
    return await run(controller.signal, restart)
  } finally {
    isSettled = true
    stopDeadline()
    signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * Calls `onOver` when the time is up, but not before everything that has arrived by then is read. In a turn of the event
 * loop timers come before I/O (Node.js docs, the event loop), so a process that was suspended finds its time up before it
 * has read an answer that arrived long ago, and would call an outcome unknown that is not.
 */
function startDeadline(ms: number, onOver: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const stopTimer = startTimer(ms, () => {
    // One turn reads the bytes; in the next, their content has gone through TLS and HTTP.
    immediate = setImmediate(() => {
      immediate = setImmediate(onOver)
    })
  })
  return () => {
    stopTimer()
    clearImmediate(immediate)
  }
}
