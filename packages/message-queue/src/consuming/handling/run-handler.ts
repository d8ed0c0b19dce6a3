import { untilAborted, withDeadline } from '@mono/waiting'
import { RetryableError } from '../../errors/handler-errors.js'

/**
 * Runs a handler under a deadline. A handler that ignores its signal goes on in the background; its result is not used.
 *
 * @throws whatever the handler throws; the reason of `signal` when the consumer is closed; RetryableError
 * `HANDLER_TIMEOUT` when the time is up
 */
export async function runHandler<T>(
  handler: (signal: AbortSignal) => Promise<T>,
  { timeoutMs: ms, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  signal.throwIfAborted()
  const createError = () => timeoutError(ms)
  return await withDeadline({ ms, signal, createError }, (cut) => untilAborted(handler(cut), cut))
}

function timeoutError(timeoutMs: number): RetryableError {
  return new RetryableError(`The handler took longer than ${timeoutMs} ms.`, { code: 'HANDLER_TIMEOUT' })
}
