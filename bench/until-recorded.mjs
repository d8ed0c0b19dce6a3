// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

const limitMs = 120_000

/**
 * Waits until a process has recorded all that it should.
 * @param {import('../scripts/start-script.mjs').Script} child
 * @param {() => Promise<number>} countRecorded
 * @param {{ count: number, signal: AbortSignal }} options
 */
export async function untilRecorded(child, countRecorded, { count, signal }) {
  const tooEarly = child.ended.then(() => {
    throw new Error('Expected the process to run until it is stopped, but it ended by itself.')
  })
  await Promise.race([poll(countRecorded, count, signal), tooEarly])
}

/**
 * @param {() => Promise<number>} countRecorded
 * @param {number} count
 * @param {AbortSignal} signal
 */
async function poll(countRecorded, count, signal) {
  const deadline = performance.now() + limitMs
  for (;;) {
    const recorded = await countRecorded()
    if (recorded >= count) return
    if (performance.now() > deadline) {
      throw new Error(`Expected ${count} rows within ${limitMs / 1000} s, found ${recorded}.`)
    }
    await sleep(200, undefined, { signal })
  }
}
