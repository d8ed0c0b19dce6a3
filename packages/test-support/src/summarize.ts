/** Percentiles of times in milliseconds. */
export function summarize(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b)
  const percentile = (percent: number) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)]
  return { p50: percentile(50), p99: percentile(99), max: sorted.at(-1) }
}
