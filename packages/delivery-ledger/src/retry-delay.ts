const firstRetryMs = 200
const maxRetryMs = 3000

/** 200 ms after the first failure in a row, doubling: 400, 800, 1600, then 3000. */
export function retryDelayMs(failures: number): number {
  return Math.min(firstRetryMs * 2 ** (failures - 1), maxRetryMs)
}
