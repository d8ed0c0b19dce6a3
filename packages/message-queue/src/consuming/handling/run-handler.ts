import { RetryableError } from '../../errors/handler-errors.js'

/**
 * Runs a handler under a deadline. A handler that ignores its signal goes on in the background; its result is not used.
 *
 * @throws whatever the handler throws; the reason of `signal` when the consumer is closed; RetryableError
 * `HANDLER_TIMEOUT` when the time is up
 */
export async function runHandler<T>(
  handler: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal: closed }: { timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  closed.throwIfAborted()
  const controller = new AbortController()
  const { promise: cutShort, reject } = withRejection()
  const abort = (reason: unknown) => {
    controller.abort(reason)
    reject(reason)
  }
  const onClosed = () => abort(closed.reason)
  const timer = setTimeout(() => abort(timeoutError(timeoutMs)), timeoutMs)
  closed.addEventListener('abort', onClosed, { once: true })
  try {
    return await Promise.race([handler(controller.signal), cutShort])
  } finally {
    clearTimeout(timer)
    closed.removeEventListener('abort', onClosed)
  }
}

function withRejection(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<never>((_resolve, rejectPromise) => {
    reject = rejectPromise
  })
  return { promise, reject }
}

function timeoutError(timeoutMs: number): RetryableError {
  return new RetryableError(`The handler took longer than ${timeoutMs} ms.`, { code: 'HANDLER_TIMEOUT' })
}
