// @ts-check
import { loadavg } from 'node:os'

const rounds = 5

/**
 * Runs both sides in turn, so that whatever else keeps the machine busy hits both; which of them goes first alternates.
 * One round before, which does not count, warms up broker and database.
 * @template T
 * @template R
 * @param {{ ours: (signal: AbortSignal) => Promise<T>, reference: (signal: AbortSignal) => Promise<T> }} sides
 * @param {{ toResult: (runs: { ours: T, reference: T }, where: { round: number, load: string }) => R, signal: AbortSignal }} options
 * @returns {Promise<R[]>} of each round
 */
export async function runInTurn({ ours, reference }, { toResult, signal }) {
  await ours(signal)
  await reference(signal)
  /** @type {R[]} */
  const results = []
  for (let round = 1; round <= rounds; round += 1) {
    const ourFirst = round % 2 === 1 ? { ours: await ours(signal) } : undefined
    const theirRun = await reference(signal)
    const { ours: ourRun } = ourFirst ?? { ours: await ours(signal) }
    const load = (loadavg()[0] ?? 0).toFixed(1)
    results.push(toResult({ ours: ourRun, reference: theirRun }, { round, load }))
  }
  return results
}
