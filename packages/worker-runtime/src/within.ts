import { settleWithin } from '@mono/waiting'

/**
 * Waits for a promise no longer than `ms`. True if it has settled by then, false if not. A rejection is thrown only if
 * it comes in time; a later one is swallowed, because nobody waits for it any more.
 */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timeUp = new Error(`not settled within ${ms} ms`)
  try {
    await settleWithin(promise, { ms, createError: () => timeUp })
    return true
  } catch (error) {
    if (error === timeUp) return false
    throw error
  }
}
