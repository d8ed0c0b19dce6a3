/**
 * Waits for a promise no longer than `ms`. True if it has settled by then, false if not. A rejection is thrown only if
 * it comes in time; a later one is swallowed, because nobody waits for it any more.
 */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([promise.then(() => true as const), timeout])
  } finally {
    clearTimeout(timer)
  }
}
