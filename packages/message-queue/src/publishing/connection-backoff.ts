const firstDelayMs = 100
export const longestReconnectDelayMs = 3_000

/**
 * How long to wait after so many failures in a row, in milliseconds: at least half of the full delay, so that clients
 * that lost the broker together do not come back together.
 *
 * | failures | 1      | 2       | 3       | 4       | 5        | 6 and more |
 * | -------- | ------ | ------- | ------- | ------- | -------- | ---------- |
 * | delay    | 50–100 | 100–200 | 200–400 | 400–800 | 800–1600 | 1500–3000  |
 */
export function reconnectDelayMs(failures: number, random: () => number = Math.random): number {
  const full = Math.min(longestReconnectDelayMs, firstDelayMs * 2 ** (Math.max(failures, 1) - 1))
  return Math.round(full * (0.5 + random() / 2))
}
