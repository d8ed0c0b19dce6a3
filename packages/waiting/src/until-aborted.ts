/**
 * Settles as the promise does, unless the signal is aborted first; the promise's own outcome is then dropped. Leaves no
 * listener behind.
 *
 * @throws what the promise rejects with; what `createError` makes, by default the reason of the signal
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  createError: () => unknown = () => signal.reason,
): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(createError())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
