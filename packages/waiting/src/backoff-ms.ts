export interface BackoffOptions {
  /** The full delay after the first failure, in milliseconds. */
  first: number
  /** The longest full delay, in milliseconds. */
  max: number
  /** From 0 to 1. Default `Math.random`. */
  random?: () => number
}

/**
 * How long to wait after that many failures in a row, in whole milliseconds. The full delay doubles with each failure;
 * the result lies between half of it and all of it, so that processes that lost something together do not come back
 * together. With `first` 100 and `max` 3000:
 *
 * | failures | 0, 1   | 2       | 3       | 4       | 5        | 6 and more |
 * | -------- | ------ | ------- | ------- | ------- | -------- | ---------- |
 * | delay    | 50–100 | 100–200 | 200–400 | 400–800 | 800–1600 | 1500–3000  |
 */
export function backoffMs(failures: number, { first, max, random = Math.random }: BackoffOptions): number {
  const full = Math.min(max, first * 2 ** (Math.max(failures, 1) - 1))
  return Math.round(full * (0.5 + random() / 2))
}
