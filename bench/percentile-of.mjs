// @ts-check

/**
 * The value that this many percent of the values do not exceed.
 * @param {readonly number[]} values
 * @param {number} percent
 */
export function percentileOf(values, percent) {
  const rank = Math.max(1, Math.ceil((values.length * percent) / 100))
  return [...values].sort((a, b) => a - b)[rank - 1] ?? Number.NaN
}
