/** The longest that a Node timer can wait, about 25 days; for anything longer it fires at once. */
const longestDelayMs = 2 ** 31 - 1

/** Calls `onOver` after `ms`, and never if that is longer than a timer can wait. Returns the function that stops it. */
export function startTimer(ms: number, onOver: () => void): () => void {
  if (ms > longestDelayMs) return () => {}
  const timer = setTimeout(onOver, ms)
  return () => clearTimeout(timer)
}
