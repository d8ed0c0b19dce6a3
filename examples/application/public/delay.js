// @ts-check

/**
 * Waits before an attempt is repeated; the last delay stands for all that follow.
 *
 * @param {number} attempt 0 for the first
 * @param {readonly number[]} delaysMs
 */
export const delayAfter = (attempt, delaysMs) => delaysMs[Math.min(attempt, delaysMs.length - 1)] ?? 0

/** @param {number} ms */
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
