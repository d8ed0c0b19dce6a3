import { startDeadline } from '@mono/worker-runtime'

export interface RunWithinOptions {
  timeoutMs: number
  /** Aborts it earlier. */
  signal: AbortSignal
}

/**
 * Runs something under a signal that is aborted when the time is up or another signal is. Nothing is left of either
 * once it has settled: at thousands of calls a second, `AbortSignal.timeout` and `any` would leave that many timers.
 */
export async function runWithin<T>(
  { timeoutMs, signal }: RunWithinOptions,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  if (signal.aborted) onAbort()
  const deadline = startDeadline(timeoutMs, () => controller.abort(new Error(`It took longer than ${timeoutMs} ms`)))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await run(controller.signal)
  } finally {
    deadline.clear()
    signal.removeEventListener('abort', onAbort)
  }
}
