import { RetryableError } from './handler-errors.js'

/**
 * Runs a handler under a deadline. A handler that ignores its signal goes on in the background; its result is not used.
 *
 * @throws whatever the handler throws; RetryableError `HANDLER_TIMEOUT` when the time is up
 */
export async function runHandler<T>(
  handler: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  const controller = new AbortController()
  const onClose = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onClose, { once: true })
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new RetryableError(`The handler took longer than ${timeoutMs} ms.`, { code: 'HANDLER_TIMEOUT' })
      controller.abort(error)
      reject(error)
    }, timeoutMs)
  })
  try {
    return await Promise.race([handler(controller.signal), timeUp])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onClose)
  }
}
