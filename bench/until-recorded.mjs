// @ts-check
import { waitUntilReady } from '../scripts/services/wait-until-ready.mjs'

const limitMs = 120_000

/**
 * Waits until a process has recorded all that it should.
 * @param {import('../scripts/start-script.mjs').Script} process
 * @param {() => Promise<number>} countRecorded
 * @param {{ count: number, signal: AbortSignal }} options
 */
export async function untilRecorded({ ended }, countRecorded, { count, signal }) {
  const findMissing = async () => {
    signal.throwIfAborted()
    const recorded = await countRecorded()
    return recorded >= count ? undefined : `expected ${count}, found ${recorded}`
  }
  const tooEarly = ended.then(() => 'the process ended by itself, and not when it was stopped')
  const recorded = waitUntilReady(findMissing, { timeoutMs: limitMs, intervalMs: 200 })
  const fault = await Promise.race([recorded, tooEarly])
  if (fault !== undefined) throw new Error(fault)
}
