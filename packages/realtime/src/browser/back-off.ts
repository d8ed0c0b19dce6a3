export interface BackOff {
  /** The longest delay after the first failure, in milliseconds. */
  first: number
  /** The longest delay of all, in milliseconds. */
  max: number
}

/**
 * How long to wait after that many failures in a row, in milliseconds: anything from 0 to a limit that doubles each time,
 * so that the browsers that lost something together spread over all of it. With `first` 500 and `max` 30000:
 *
 * | failures | 0, 1  | 2      | 3      | 4      | … | 7 and more |
 * | -------- | ----- | ------ | ------ | ------ | - | ---------- |
 * | delay    | 0–500 | 0–1000 | 0–2000 | 0–4000 |   | 0–30000    |
 */
export function backOffMs(failures: number, { first, max }: BackOff, random = Math.random): number {
  return random() * Math.min(max, first * 2 ** (Math.max(failures, 1) - 1))
}
